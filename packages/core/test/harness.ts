import { type ScriptedProvider, type ScriptedTurn, type ScriptStep, scriptedProvider } from '@orra/conformance'
import {
  createRuntime,
  type Entry,
  isOrraError,
  memoryStore,
  Namespace,
  type RunEvent,
  type Runtime,
  type RuntimeOptions,
  textOf,
} from '@orra/core'

export const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
export const alice = Namespace.of('tenant', 'acme', 'user', 'alice')

/** A runtime whose model follows a script. */
export function scripted(
  steps: readonly ScriptStep[],
  options: Partial<RuntimeOptions> = {},
): { readonly orra: Runtime; readonly provider: ScriptedProvider } {
  const provider = scriptedProvider(steps)
  return { orra: createRuntime({ provider, store: memoryStore(), ...options }), provider }
}

export async function collect(events: AsyncIterable<RunEvent>): Promise<readonly RunEvent[]> {
  const all: RunEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

/** The log in a line an entry, without what differs from run to run. */
export async function logOf(orra: Runtime, namespace = bob): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const { entry } of orra.session(namespace).entries()) lines.push(lineOf(entry))
  return lines
}

function lineOf(entry: Entry): string {
  switch (entry.type) {
    case 'input':
      return `input: ${textOf(entry.message)}`
    case 'input-withdrawn':
      return 'withdrawn'
    case 'message':
      return `${entry.message.role}: ${entry.message.content.map(partLine).join(' ')}`
    case 'run-started':
      return 'run-started'
    case 'run-ended':
      return `run-ended ${entry.reason}${entry.error ? ` ${entry.error.code}` : ''}`
    case 'tool-started':
      return `tool-started ${entry.callId}`
    case 'approval-requested':
      return `approval-requested ${entry.request.callId} ${entry.request.level}`
    case 'approval-decided':
      return `approval-${entry.approved ? 'given' : 'refused'} ${entry.callId}${entry.by === undefined ? '' : ` by ${entry.by}`}`
    case 'run-suspended':
      return 'run-suspended'
    case 'call-woken':
      return `call-woken ${entry.callId}`
    case 'compaction':
      return `compaction through ${entry.through}: ${entry.summary}`
    case 'message-pinned':
      return `pinned ${entry.seq}`
    case 'message-unpinned':
      return `unpinned ${entry.seq}`
    case 'metadata':
      return `metadata ${JSON.stringify(entry.set)}`
  }
}

type Part = Extract<Entry, { type: 'message' }>['message']['content'][number]

function partLine(part: Part): string {
  if (part.type === 'tool-call') return `${part.name}(${JSON.stringify(part.input)})`
  if (part.type === 'tool-result') return `${part.isError ? 'error' : 'result'} ${part.callId}: ${textOf(part.content)}`
  return part.type === 'text' || part.type === 'reasoning' ? part.text : part.type
}

/** Something that happens when the test says so. */
export interface Switch {
  readonly promise: Promise<void>
  readonly on: () => void
}

export function aSwitch(): Switch {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { promise, on: resolve }
}

/** A turn that tells the test when the model is called for it. */
export function announced(called: Switch, turn: ScriptedTurn): ScriptStep {
  return () => {
    called.on()
    return turn
  }
}

export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return isOrraError(error) ? error.code : `not orra's: ${error}`
  }
  return 'nothing thrown'
}
