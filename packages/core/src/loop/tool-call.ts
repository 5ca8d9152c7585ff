import { linkAbort, untilAborted } from '../abort.ts'
import { forgetRequest } from '../approval/waiting-list.ts'
import { toJson } from '../json.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { type ToolCallPart, textOf } from '../message.ts'
import type { ToolMessageEntry } from '../store/entry.ts'
import { canGoOn, type ReadyTool } from '../tool.ts'
import { approveCall, type CheckedCall } from './approve-call.ts'
import { countBegun } from './bill-run.ts'
import { refusalOf } from './may-use.ts'
import { performCall } from './perform-call.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'
import { CALL_WAITS } from './spawn-run.ts'
import { failure, isOutcome, OUTCOME_UNKNOWN, type Outcome, orFailure, refusedCall } from './tool-outcome.ts'

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
  return Array.from(calls, (open) => resultEntry(open.call, failure(whyAbandoned(open))))
}

function whyAbandoned({ started, request }: OpenCall): string {
  if (started) return 'It was stopped while it ran; nobody knows how far it came.'
  if (request) return 'It was not begun: the run was stopped while somebody was to approve it.'
  return 'It was not run to its end: the run was stopped.'
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
  await countBegun(scope, open, signal).catch(() => {})
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

  const tool = services.tools.get(name)
  if (!tool) return refusedCall(open, `There is no tool named "${name}".`)
  const refusal = refusalOf(services, run, await services.gate.at(namespace, signal), name)
  if (refusal !== undefined) return refusedCall(open, refusal)
  if (open.started && !canGoOn(tool)) return failure(OUTCOME_UNKNOWN)

  const checked = await orFailure(() => checkedInput(scope, tool, open), signal)
  if (isOutcome(checked)) return refusedCall(open, textOf(checked.content))
  // Policies are asked anew after all that may take time.
  const standing = await approveCall(scope, checked, await services.gate.at(namespace, signal))
  if (standing.type === 'waiting') return CALL_WAITS
  if (standing.type === 'refused') return refusedCall(open, standing.reason)
  try {
    return await performCall(scope, run, checked)
  } catch (error) {
    if (error === CALL_WAITS) return CALL_WAITS
    throw error
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

function resultEntry({ callId, name }: ToolCallPart, { content, isError }: Outcome): ToolMessageEntry {
  const error = isError ? { isError } : {}
  return {
    type: 'message',
    message: { role: 'tool', content: [{ type: 'tool-result', callId, name, content, ...error }] },
  }
}
