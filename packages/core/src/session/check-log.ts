import { emptyConversation, foldEntry, type OpenRun } from '../log/conversation.ts'
import { isMessageOf } from '../message.ts'
import { isUsage } from '../provider.ts'
import type { Entry, RunEndReason } from '../store/entry.ts'

const REASONS: { readonly [Reason in RunEndReason]: true } = {
  completed: true,
  length: true,
  refused: true,
  'max-turns': true,
  aborted: true,
  denied: true,
  error: true,
}

type Fields = { readonly [name: string]: unknown }

const SHAPES: { readonly [Type in Entry['type']]: (fields: Fields) => boolean } = {
  input: ({ key, message }) => isText(key) && isMessageOf('user', message),
  'input-withdrawn': ({ input }) => isText(input),
  message: ({ message }) =>
    isMessageOf('user', message) || isMessageOf('assistant', message) || isMessageOf('tool', message),
  'tool-started': ({ callId }) => isText(callId),
  metadata: ({ set }) => typeof set === 'object' && set !== null && !Array.isArray(set),
  'run-started': ({ runId, input }) => isText(runId) && isText(input),
  'run-ended': ({ runId, reason, usage }) => isText(runId) && Object.hasOwn(REASONS, String(reason)) && isUsage(usage),
}

/** Whether a value is an entry of a log, with all that its kind must have. */
export function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { type } = value as { readonly type?: unknown }
  return typeof type === 'string' && Object.hasOwn(SHAPES, type) && SHAPES[type as Entry['type']](value as Fields)
}

/** Where a log stops being one that orra could have written, and why; `undefined` when it never does. */
export function disorderOf(
  entries: readonly Entry[],
): { readonly index: number; readonly problem: string } | undefined {
  const conversation = emptyConversation()
  for (const [index, entry] of entries.entries()) {
    const { run, inbox } = conversation
    const taken = entry.type === 'message' ? entry.input : undefined
    if (taken !== undefined && !inbox.has(taken)) return { index, problem: 'it takes an input that does not wait' }
    const problem = problemIn(entry, run)
    if (problem !== undefined) return { index, problem }
    foldEntry(conversation, index + 1, entry)
  }
  return undefined
}

function problemIn(entry: Entry, run: OpenRun | undefined): string | undefined {
  if (entry.type === 'run-started') return run ? 'a run begins within a run' : undefined
  if (entry.type === 'run-ended' && entry.runId !== run?.runId) return 'it ends a run that is not open'
  if (entry.type === 'run-ended' && run?.openCalls.size) return 'its run ends while calls have no result'
  if (entry.type !== 'message') return undefined
  if (!run) return 'a message stands outside of a run'
  const { message } = entry
  if (message.role === 'tool') {
    return message.content.every(({ callId }) => run.openCalls.has(callId)) ? undefined : 'a result has no open call'
  }
  return run.openCalls.size > 0 ? 'a message comes before the results of calls' : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
