import { linkAbort, untilAborted } from '../abort.ts'
import type { OpenRun } from '../log/conversation.ts'
import type { ToolContext } from '../tool.ts'
import type { CheckedCall } from './approve-call.ts'
import { refusalOf } from './may-use.ts'
import type { RunScope } from './run-scope.ts'
import { CALL_WAITS } from './spawn-run.ts'
import { openToolContext } from './tool-context.ts'
import { failure, OUTCOME_UNKNOWN, type Outcome, orFailure, refusedCall, succeeded } from './tool-outcome.ts'

/**
 * Does a call, within what may be spent on it: the tool itself, or what came of it when its process died. Throws
 * `CALL_WAITS` when it waits for a sub-agent; then it is made again, and counted then.
 */
export async function performCall(scope: RunScope, run: OpenRun, call: CheckedCall): Promise<Outcome> {
  const { services, namespace, signal, log, lease } = scope
  const { tool, open, value } = call
  // An approval may have taken days.
  let rules = await services.gate.at(namespace, signal)
  let refusal = refusalOf(services, run, rules, tool.name)
  if (refusal === undefined && open.started && tool.reconcile) {
    const found = await orFailure(() => reconciled(scope, run, call), signal)
    if (found) return found
    rules = await services.gate.at(namespace, signal)
    refusal = refusalOf(services, run, rules, tool.name)
  }
  if (refusal !== undefined) return refusedCall(open, refusal)
  const reserved = await services.meter.reserveToolCall(rules, tool.usd ?? 0, signal)
  if (!reserved.granted) return refusedCall(open, reserved.reason)
  let isDone = false
  try {
    return await orFailure(async () => {
      const { callId } = open.call
      if (!tool.readOnly && !open.started) await log.append([{ type: 'tool-started', callId }], lease)
      signal.throwIfAborted()
      isDone = true
      return succeeded(await inTime(scope, run, call, (context) => tool.execute(value, context)))
    }, signal)
  } catch (error) {
    if (error === CALL_WAITS) isDone = false
    throw error
  } finally {
    if (isDone) open.counted = true
    await reserved.settle(isDone)
  }
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
