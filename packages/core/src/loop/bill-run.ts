import { untilAborted } from '../abort.ts'
import type { LostCall, RunSpend } from '../budget/spend.ts'
import { isOrraError } from '../errors.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import type { RunScope } from './run-scope.ts'

/** How long it may take to count what was used once the lease is lost, in milliseconds. */
const LAST_BILL_MS = 1000

/**
 * Counts what a run has used until now: before it ends, and before it waits for others, for its session may be deleted
 * meanwhile. Throws what the store throws, and why the lease was lost.
 */
export async function billRun({ usage, lease }: RunScope, run: OpenRun): Promise<void> {
  await usage.add(spendOf(run), { signal: lease.signal })
}

/**
 * The same once the lease is lost. Whoever has the session now counts its run; but when it was deleted nobody will, and
 * calls that stand in no log are known here alone. Never rejects.
 */
export async function billLost({ services, log, lease, usage, runId }: RunScope): Promise<void> {
  const signal = AbortSignal.timeout(LAST_BILL_MS)
  const { namespace, sessionId, conversation } = log
  const { run } = conversation
  const bill = async () => {
    const isFenced = run?.runId === runId && isOrraError(lease.signal.reason, 'store.fenced')
    const isDeleted = isFenced && (await services.store.sessions.head(namespace, { signal }))?.id !== sessionId
    if (isDeleted) await usage.add(spendOf(run), { signal, isGone: true })
    else await usage.flush(signal)
  }
  await untilAborted(bill(), signal).catch(() => {})
}

/** Notes a model call that has used something and stands in no log. */
export function noteLost({ log, usage }: RunScope, call: LostCall): void {
  const { inputTokens, outputTokens } = call.usage
  const { run } = log.conversation
  if (run && inputTokens + outputTokens > 0) usage.note(run.startedAt, call)
}

/**
 * Counts what a tool call costs that was begun, here or by a process that died, and that nobody goes on with: it may well
 * have cost it. A call that was counted here is not counted again.
 */
export async function countBegun(
  { services, namespace }: RunScope,
  open: OpenCall,
  signal: AbortSignal,
): Promise<void> {
  const { usd = 0 } = services.tools.get(open.call.name) ?? {}
  if (!open.started || open.counted || usd === 0) return
  await services.meter.countToolCall(await services.gate.at(namespace, signal), usd, signal)
  open.counted = true
}

function spendOf({ runId, startedAt, models, tools, openCalls }: OpenRun): RunSpend {
  const calls = new Map(tools)
  // Of these it is known that they began, and nothing more may ever be.
  for (const { call, started } of openCalls.values()) if (started) calls.set(call.name, (calls.get(call.name) ?? 0) + 1)
  return { runId, startedAt, models: [...models.values()], tools: calls }
}
