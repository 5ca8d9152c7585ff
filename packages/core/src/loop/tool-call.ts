import { linkAbort, untilAborted } from '../abort.ts'
import { toJson } from '../json.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { type ContentPart, isContent, type ToolCallPart, textOf } from '../message.ts'
import type { ToolMessageEntry } from '../store/entry.ts'
import { canGoOn, type ReadyTool, type ToolContext, type ToolOutput } from '../tool.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'

const OUTCOME_UNKNOWN =
  'It was begun and then interrupted; nobody knows whether it took effect. Look before you try again.'

interface Outcome {
  readonly content: readonly ContentPart[]
  readonly isError: boolean
}

/**
 * Brings open calls to their results, some at a time. Each result is appended when it is there. Throws the signal's
 * reason when that aborts, and what kept a result from being written; the calls without a result then stay open.
 */
export async function callTools(scope: RunScope, run: OpenRun, calls: readonly OpenCall[]): Promise<void> {
  using group = linkAbort(scope.signal)
  const grouped = { ...scope, signal: group.signal }
  const waiting = calls.values()
  const work = async () => {
    try {
      for (const open of waiting) await callTool(grouped, run, open)
    } catch (error) {
      // One whose result cannot be written ends the run for the others, too.
      group.abort(error)
    }
  }
  await Promise.all(Array.from({ length: Math.min(scope.services.maxParallelTools, calls.length) }, work))
  group.signal.throwIfAborted()
}

/** A result for every call that has none, for a run that ends before its tools do. */
export function abandonedResults(calls: Iterable<OpenCall>): readonly ToolMessageEntry[] {
  return Array.from(calls, ({ call, started }) => {
    const text = started
      ? 'It was stopped while it ran; nobody knows how far it came.'
      : 'It was not run to its end: the run was stopped.'
    return resultEntry(call, failure(text))
  })
}

async function callTool(scope: RunScope, run: OpenRun, open: OpenCall): Promise<void> {
  const { services, log, lease, signal, emit } = scope
  const { hooks } = services
  const { callId, name: tool } = open.call
  const startedAt = performance.now()

  signal.throwIfAborted()
  emit({ type: 'tool-call-start', callId, tool, input: open.call.input })
  let outcome = await attempt(scope, run, open)
  const durationMs = performance.now() - startedAt
  if (hooks.has('afterToolCall')) {
    const event = { callId, tool, ...outcome, durationMs }
    outcome = await orFailure(async () => (await hooks.call('afterToolCall', hookBase(scope), event)).event, signal)
  }
  const { content, isError } = outcome
  const entry = resultEntry(open.call, { content, isError })
  const message = await beforeAppend(hooks, hookBase(scope), entry.message)
  await log.append([{ ...entry, message }], lease)
  emit({ type: 'tool-call-end', callId, tool, content, isError, durationMs })
}

/** Every check in its order, and then the tool itself. Whatever fails becomes words for the model. */
async function attempt(scope: RunScope, run: OpenRun, open: OpenCall): Promise<Outcome> {
  const { services, signal, log, lease } = scope
  const { callId, name } = open.call
  // Why it is not gone on with says nothing of how far it had come.
  const refused = (reason: string) => failure(open.started ? `${OUTCOME_UNKNOWN} ${reason}` : reason)

  const tool = services.tools.get(name)
  if (!tool) return refused(`There is no tool named "${name}".`)
  const refusal = refusalOf(scope, run, name)
  if (refusal !== undefined) return refused(refusal)
  if (open.started && !canGoOn(tool)) return failure(OUTCOME_UNKNOWN)

  const input = await orFailure(() => checkedInput(scope, tool, open.call), signal)
  if (isOutcome(input)) return refused(textOf(input.content))
  return orFailure(async () => {
    if (open.started && tool.reconcile) {
      const found = await reconciled(scope, tool, open.call, input.value)
      if (found) return found
    }
    if (!tool.readOnly && !open.started) await log.append([{ type: 'tool-started', callId }], lease)
    signal.throwIfAborted()
    return succeeded(await inTime(scope, tool, open.call, (context) => tool.execute(input.value, context)))
  }, signal)
}

/** The input as the hooks and the schema leave it, or why it cannot be. */
async function checkedInput(
  scope: RunScope,
  tool: ReadyTool,
  call: ToolCallPart,
): Promise<{ readonly value: unknown } | Outcome> {
  const { signal } = scope
  const { hooks } = scope.services
  let { input } = call
  if (hooks.has('beforeToolCall')) {
    const event = { callId: call.callId, tool: call.name, input }
    const outcome = await hooks.call('beforeToolCall', hookBase(scope), event)
    if (outcome.denied !== undefined) return failure(outcome.denied)
    input = outcome.event.input
  }
  // A copy, for the tool may change its input and the log keeps what the model wrote.
  const checked = await untilAborted(tool.schema.validate(toJson(input)), signal)
  if (!checked.valid) return failure(`The input does not fit the tool's schema:\n${checked.problems.join('\n')}`)
  signal.throwIfAborted()
  return { value: checked.value }
}

function isOutcome(value: object): value is Outcome {
  return 'isError' in value
}

/** What came of a call whose process died; `undefined` when it surely came to nothing and may be begun again. */
async function reconciled(
  scope: RunScope,
  tool: ReadyTool,
  call: ToolCallPart,
  input: unknown,
): Promise<Outcome | undefined> {
  try {
    const output = await inTime(scope, tool, call, (context) => tool.reconcile?.(input, context))
    if (output === undefined) return undefined
    const found = succeeded(output)
    return found.isError ? failure(OUTCOME_UNKNOWN) : found
  } catch {
    if (scope.signal.aborted) throw scope.signal.reason
    return failure(OUTCOME_UNKNOWN)
  }
}

function refusalOf({ services, namespace }: RunScope, run: OpenRun, name: string): string | undefined {
  if (run.settings.tools && !run.settings.tools.includes(name)) return `The tool "${name}" is not offered in this run.`
  const decision = services.gate.decide(namespace, { type: 'tool', name })
  return decision.allowed ? undefined : decision.reason
}

/** Lets a tool work until its run or its own deadline ends. */
async function inTime<T>(
  scope: RunScope,
  { timeoutMs }: ReadyTool,
  call: ToolCallPart,
  work: (context: ToolContext) => T | Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return untilEnd(scope.signal, scope, call, work)
  using deadline = linkAbort(scope.signal)
  const timer = setTimeout(() => deadline.abort(new Error(`It did not finish within ${timeoutMs} ms.`)), timeoutMs)
  try {
    return await untilEnd(deadline.signal, scope, call, work)
  } finally {
    clearTimeout(timer)
  }
}

async function untilEnd<T>(
  signal: AbortSignal,
  { namespace, runId, emit }: RunScope,
  { callId, name }: ToolCallPart,
  work: (context: ToolContext) => T | Promise<T>,
): Promise<T> {
  let over = false
  const context: ToolContext = {
    namespace,
    runId,
    callId,
    signal,
    progress: (message) => {
      if (!over) emit({ type: 'tool-call-progress', callId, tool: name, message })
    },
  }
  try {
    // In a function of its own, so that a tool that throws at once fails like one that throws later.
    return await untilAborted((async () => work(context))(), signal)
  } finally {
    over = true
  }
}

/** The run's own end is nobody's tool result. */
async function orFailure<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | Outcome> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const text = error instanceof Error ? String(error.message) : ''
    return failure(text.trim() === '' ? 'The tool failed without saying why.' : text)
  }
}

function succeeded(output: ToolOutput): Outcome {
  const content = typeof output === 'string' ? [{ type: 'text', text: output } as const] : output
  if (!isContent(content)) return failure('The tool returned neither text nor content parts.')
  return { content: toJson(content), isError: false }
}

function failure(text: string): Outcome {
  return { content: [{ type: 'text', text: toJson(text) }], isError: true }
}

function resultEntry({ callId, name }: ToolCallPart, { content, isError }: Outcome): ToolMessageEntry {
  const error = isError ? { isError } : {}
  return {
    type: 'message',
    message: { role: 'tool', content: [{ type: 'tool-result', callId, name, content, ...error }] },
  }
}
