import { linkAbort, untilAborted } from '../abort.ts'
import { forgetRequest } from '../approval/waiting-list.ts'
import type { Rules } from '../gate/gate.ts'
import { toJson } from '../json.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { type ContentPart, isContent, type ToolCallPart, textOf } from '../message.ts'
import { NO_USAGE } from '../provider.ts'
import type { ToolMessageEntry } from '../store/entry.ts'
import { canGoOn, type ReadyTool, type ToolContext, type ToolOutput } from '../tool.ts'
import { approveCall, type CheckedCall } from './approve-call.ts'
import { refusalOf } from './may-use.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'
import { CALL_WAITS } from './spawn-run.ts'
import { openToolContext } from './tool-context.ts'

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

/** A call that waits for what others say is left open. */
async function callTool(scope: RunScope, run: OpenRun, open: OpenCall): Promise<void> {
  const { services, log, lease, signal, emit } = scope
  const { hooks } = services
  const { callId, name: tool } = open.call
  const startedAt = performance.now()

  signal.throwIfAborted()
  emit({ type: 'tool-call-start', callId, tool, input: open.call.input })
  const came = await attempt(scope, run, open)
  if (came === CALL_WAITS) return
  let outcome: Outcome = came
  const durationMs = performance.now() - startedAt
  if (hooks.has('afterToolCall')) {
    const event = { callId, tool, ...outcome, durationMs }
    outcome = await orFailure(async () => (await hooks.call('afterToolCall', hookBase(scope), event)).event, signal)
  }
  const { content, isError } = outcome
  const entry = resultEntry(open.call, { content, isError })
  const message = await beforeAppend(hooks, hookBase(scope), entry.message)
  await log.append([{ ...entry, message }], lease)
  if (open.request && services.approvals.suspend) await forgetRequest(services.store, open.request)
  emit({ type: 'tool-call-end', callId, tool, content, isError, durationMs })
}

/** Every check in its order, and then the tool itself. Whatever fails becomes words for the model. */
async function attempt(scope: RunScope, run: OpenRun, open: OpenCall): Promise<Outcome | typeof CALL_WAITS> {
  const { services, namespace, signal } = scope
  const { name } = open.call
  // Why it is not gone on with says nothing of how far it had come.
  const refused = (reason: string) => failure(open.started ? `${OUTCOME_UNKNOWN} ${reason}` : reason)

  const tool = services.tools.get(name)
  if (!tool) return refused(`There is no tool named "${name}".`)
  const rules = await services.gate.at(namespace, signal)
  const refusal = refusalOf(services, run, rules, name)
  if (refusal !== undefined) return refused(refusal)
  if (open.started && !canGoOn(tool)) return failure(OUTCOME_UNKNOWN)

  const checked = await orFailure(() => checkedInput(scope, tool, open), signal)
  if (isOutcome(checked)) return refused(textOf(checked.content))
  const standing = await approveCall(scope, checked, rules)
  if (standing.type === 'waiting') return CALL_WAITS
  if (standing.type === 'refused') return refused(standing.reason)
  // Policies may have changed while somebody thought it over.
  const still = refusalOf(services, run, await services.gate.at(namespace, signal), name)
  if (still !== undefined) return refused(still)
  try {
    return await perform(scope, run, checked, rules)
  } catch (error) {
    if (error === CALL_WAITS) return CALL_WAITS
    throw error
  }
}

/** The tool itself, within what may be spent on it. */
async function perform(
  scope: RunScope,
  run: OpenRun,
  { tool, open, value }: CheckedCall,
  rules: Rules,
): Promise<Outcome> {
  const { services, namespace, signal, log, lease } = scope
  const { callId } = open.call
  const reserved = await services.meter.reserveToolCall(namespace, rules, tool.usd ?? 0, signal)
  if (!reserved.granted) return failure(reserved.reason)
  let isDone = false
  try {
    return await orFailure(async () => {
      if (open.started && tool.reconcile) {
        const found = await reconciled(scope, run, { tool, open, value })
        if (found) return found
      }
      if (!tool.readOnly && !open.started) await log.append([{ type: 'tool-started', callId }], lease)
      signal.throwIfAborted()
      isDone = true
      return succeeded(await inTime(scope, run, { tool, open }, (context) => tool.execute(value, context)))
    }, signal)
  } finally {
    await reserved.settle(isDone ? undefined : NO_USAGE)
  }
}

/** The input as the hooks and the schema leave it, or why it cannot be. */
async function checkedInput(scope: RunScope, tool: ReadyTool, open: OpenCall): Promise<CheckedCall | Outcome> {
  const { signal } = scope
  const { hooks } = scope.services
  let { input } = open.call
  if (hooks.has('beforeToolCall')) {
    const event = { callId: open.call.callId, tool: tool.name, input, inputSchema: tool.spec.inputSchema }
    const outcome = await hooks.call('beforeToolCall', hookBase(scope), event)
    if (outcome.denied !== undefined) return failure(outcome.denied)
    input = outcome.event.input
  }
  // A copy, for the tool may change its input and the log keeps what the model wrote.
  const checked = await untilAborted(tool.schema.validate(toJson(input)), signal)
  if (!checked.valid) return failure(`The input does not fit the tool's schema:\n${checked.problems.join('\n')}`)
  signal.throwIfAborted()
  return { tool, open, input, value: checked.value }
}

function isOutcome(value: object): value is Outcome {
  return 'isError' in value
}

/** What came of a call whose process died; `undefined` when it surely came to nothing and may be begun again. */
async function reconciled(
  scope: RunScope,
  run: OpenRun,
  { tool, open, value }: Pick<CheckedCall, 'tool' | 'open' | 'value'>,
): Promise<Outcome | undefined> {
  try {
    const output = await inTime(scope, run, { tool, open }, (context) => tool.reconcile?.(value, context))
    if (output === undefined) return undefined
    const found = succeeded(output)
    return found.isError ? failure(OUTCOME_UNKNOWN) : found
  } catch (error) {
    if (error === CALL_WAITS) throw error
    if (scope.signal.aborted) throw scope.signal.reason
    return failure(OUTCOME_UNKNOWN)
  }
}

/** Lets a tool work until its run or its own deadline ends. */
async function inTime<T>(
  scope: RunScope,
  run: OpenRun,
  call: Pick<CheckedCall, 'tool' | 'open'>,
  work: (context: ToolContext) => T | Promise<T>,
): Promise<T> {
  const { timeoutMs } = call.tool
  if (timeoutMs === undefined) return untilEnd(scope.signal, scope, run, call, work)
  using deadline = linkAbort(scope.signal)
  const timer = setTimeout(() => deadline.abort(new Error(`It did not finish within ${timeoutMs} ms.`)), timeoutMs)
  try {
    return await untilEnd(deadline.signal, scope, run, call, work)
  } finally {
    clearTimeout(timer)
  }
}

async function untilEnd<T>(
  signal: AbortSignal,
  scope: RunScope,
  run: OpenRun,
  { tool, open }: Pick<CheckedCall, 'tool' | 'open'>,
  work: (context: ToolContext) => T | Promise<T>,
): Promise<T> {
  const { context, end } = openToolContext(scope, run, tool, open, signal)
  try {
    // In a function of its own, so that a tool that throws at once fails like one that throws later.
    return await untilAborted((async () => work(context))(), signal)
  } finally {
    await end()
  }
}

/** The run's own end is nobody's tool result. */
async function orFailure<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | Outcome> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error === CALL_WAITS) throw error
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
