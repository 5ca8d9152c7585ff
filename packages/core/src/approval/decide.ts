import { OrraError } from '../errors.ts'
import { compilePattern, patternHolds } from '../gate/pattern.ts'
import { Namespace, requireNamespace } from '../namespace.ts'
import { checkOptions, checkSignal, invalidOption, type OptionNames } from '../options.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'
import type { Store } from '../store/store.ts'
import { wakeCallers } from './callers.ts'

export interface DecideOptions extends ApprovalDecision {
  /** Who decides. By default the namespace that asks may, and its ancestors. */
  readonly by: Namespace
  /** Of the request that was looked at: then another one that has its `callId` by now is not decided. @default whichever waits */
  readonly inputHash?: string
  readonly signal?: AbortSignal | undefined
}

const OPTIONS: OptionNames<DecideOptions> = {
  approved: true,
  by: true,
  reason: true,
  inputHash: true,
  signal: true,
}

/**
 * Decides of a call that waits, once and for all. Whoever works in the session next goes on with it. Returns all sessions
 * in which something may be done now. Throws `approval.gone`, `approval.forbidden` and `options.invalid`.
 */
export async function decideCall(
  store: Store,
  namespace: Namespace,
  callId: string,
  options: DecideOptions,
): Promise<readonly Namespace[]> {
  const { sessions } = store
  checkOptions('decide', options, OPTIONS)
  const { approved, reason, inputHash, signal } = options
  if (options.by === undefined) throw invalidOption('by', 'say who decides: give a Namespace')
  const by = requireNamespace(options.by)
  checkSignal(signal)
  if (typeof callId !== 'string') throw invalidOption('callId', 'give the "callId" of a request')
  if (typeof approved !== 'boolean') throw invalidOption('approved', 'give true or false')
  if (inputHash !== undefined && typeof inputHash !== 'string')
    throw invalidOption('inputHash', 'give that of a request')
  if (reason !== undefined && typeof reason !== 'string') throw invalidOption('reason', 'give text')

  const head = await sessions.head(namespace, { signal })
  const waiting = head?.openRun?.approvals?.find((call) => call.callId === callId)
  if (!waiting) throw gone(namespace)
  const [logged] = await sessions.read(namespace, { after: waiting.seq - 1, limit: 1, signal })
  if (logged?.entry.type !== 'approval-requested') throw gone(namespace)
  const { request } = logged.entry
  if (!mayDecide(request, by)) throw forbidden(namespace)
  if (inputHash !== undefined && inputHash !== request.inputHash) throw gone(namespace)
  const why = reason === undefined ? {} : { reason: reason.toWellFormed() }
  const entry = { type: 'approval-decided', callId, asked: waiting.seq, approved, by: by.key, ...why } as const
  const { written } = await sessions.append(namespace, [entry], { signal })
  if (written === 0) throw gone(namespace)
  // Whoever waits for this run, and for whoever waits for it, need not be told by it.
  return [namespace, ...(await wakeCallers(store, request.spawnedBy?.callers ?? [], { signal }))]
}

/** Whether somebody may decide of a request; `decide` asks it, and whoever shows requests may. */
export function mayDecide({ namespace, deciders }: ApprovalRequest, by: Namespace): boolean {
  if (!deciders) return by.contains(Namespace.parse(namespace))
  return deciders.some((pattern) => patternHolds(compilePattern(pattern), by))
}

function gone({ key }: Namespace): OrraError<'approval.gone'> {
  const message =
    'Nothing waits for this decision: it was decided, its time is over, its run has ended, or it is another request by now.'
  return new OrraError('approval.gone', message, { details: { namespace: key } })
}

function forbidden({ key }: Namespace): OrraError<'approval.forbidden'> {
  const message = 'This namespace may not decide here; nothing was decided. Those who may are named in the request.'
  return new OrraError('approval.forbidden', message, { details: { namespace: key } })
}
