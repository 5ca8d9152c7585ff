import { linkAbort, untilAborted } from '../abort.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'
import { LONGEST_TIMEOUT_MS } from '../tool.ts'
import { type ApprovalQueue, approvalQueue } from './approval-queue.ts'
import type { Hooks } from './hooks.ts'

/** Decides, or asks somebody who does; `undefined` leaves the run waiting for `decide`. */
export type AskApproval = (
  request: ApprovalRequest,
  options: { readonly signal: AbortSignal },
) => ApprovalDecision | undefined | Promise<ApprovalDecision | undefined>

export interface ApprovalsOptions {
  /** Its signal aborts with the run, and when the time is over. @default whoever iterates over what `approvals` returns */
  readonly ask?: AskApproval
  /** How long an answer may take, in milliseconds; after that it is a refusal. @default 300,000 */
  readonly timeoutMs?: number
}

/** Approvals for a user interface of this process. Closing it refuses what waits, and all that comes later. */
export type Approvals = Hooks & ApprovalQueue

/**
 * Has calls approved while their run goes on, by a function or by whoever iterates. Both are told of every namespace's
 * requests: show each only to those whom it concerns. What is not an answer is a refusal: a throw, too long a silence, a
 * user interface that was closed. A decision that a hook before this one made is left as it is.
 *
 * @example
 * await using waiting = approvals()
 * const orra = createRuntime({ provider, tools, hooks: [waiting] })
 * for await (const { request, approve, deny } of waiting) {
 *   if (await confirm(request.tool)) approve()
 *   else deny('Not today.')
 * }
 */
export function approvals(options: ApprovalsOptions & { readonly ask: AskApproval }): Hooks
export function approvals(options?: Omit<ApprovalsOptions, 'ask'>): Approvals
export function approvals(options: ApprovalsOptions = {}): Hooks | Approvals {
  checkOptions('approvals', options, OPTIONS)
  const { ask, timeoutMs = 300_000 } = options
  if (ask !== undefined && typeof ask !== 'function') throw invalidOption('ask', 'give a function that decides')
  if (!(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
    throw invalidOption('timeoutMs', 'give milliseconds, above 0 and not longer than a timer can be (about 24 days)')
  }
  if (ask) return { name: 'approvals', ...hookFor(ask, timeoutMs) }
  const queue = approvalQueue()
  // Its iterator and its end go by symbols, which are no hook points.
  return { name: 'approvals', ...hookFor(queue.ask, timeoutMs), ...queue.reading }
}

const OPTIONS: OptionNames<ApprovalsOptions> = { ask: true, timeoutMs: true }

function hookFor(ask: AskApproval, timeoutMs: number): Pick<Hooks, 'approval'> {
  return {
    async approval({ request, decision, signal }) {
      if (decision) return undefined
      const asked = await answerInTime(ask, request, timeoutMs, signal)
      return asked && { decision: asked }
    },
  }
}

async function answerInTime(
  ask: AskApproval,
  request: ApprovalRequest,
  timeoutMs: number,
  run: AbortSignal,
): Promise<ApprovalDecision | undefined> {
  run.throwIfAborted()
  using limit = linkAbort(run)
  const timer = setTimeout(() => limit.abort(new DOMException('Nobody answered in time.', 'TimeoutError')), timeoutMs)
  const { signal } = limit
  try {
    return checked(await untilAborted((async () => ask(request, { signal }))(), signal))
  } catch {
    run.throwIfAborted()
    return refusal(signal.aborted ? 'Nobody answered in time.' : 'Whoever was to approve it could not be asked.')
  } finally {
    clearTimeout(timer)
  }
}

/** Only what is an approval in every respect is one. */
function checked(answer: unknown): ApprovalDecision | undefined {
  if (answer === undefined) return undefined
  const { approved, reason } = (answer ?? {}) as Partial<ApprovalDecision>
  if (typeof approved !== 'boolean' || (reason !== undefined && typeof reason !== 'string')) {
    return refusal('The answer of whoever was to approve it was no decision.')
  }
  return { approved, ...(reason === undefined ? {} : { reason }) }
}

function refusal(reason: string): ApprovalDecision {
  return { approved: false, reason }
}
