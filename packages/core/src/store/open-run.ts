import type { ApprovalRequest } from './approval-request.ts'

/** What the head of a session says of the run that is open: enough to see what it waits for without reading the log. */
export interface OpenRunHead {
  readonly runId: string
  /** The key of the input that it answers. */
  readonly input: string
  /** Where it began. */
  readonly seq: number
  /** Its calls that somebody is to approve and nobody has decided. */
  readonly approvals?: readonly WaitingCall[]
  /** Where something came last that may end a wait: a decision, the answer of a sub-agent. */
  readonly wokenAt?: number
  /** It can do nothing until something of that kind comes. */
  readonly suspended?: true
}

/** A call that waits for a decision. */
export interface WaitingCall {
  readonly callId: string
  /** Where it was asked for. */
  readonly seq: number
  /** From when on it can no longer be approved: milliseconds since 1970. */
  readonly expiresAt: number
}

export function withApproval(run: OpenRunHead, { callId, expiresAt }: ApprovalRequest, seq: number): OpenRunHead {
  const others = (run.approvals ?? []).filter((waiting) => waiting.callId !== callId)
  return { ...run, approvals: [...others, { callId, seq, expiresAt }] }
}

export function withoutApprovals(run: OpenRunHead, callIds: readonly string[]): OpenRunHead {
  if (!run.approvals) return run
  const { approvals, ...rest } = run
  const left = approvals.filter(({ callId }) => !callIds.includes(callId))
  return left.length > 0 ? { ...rest, approvals: left } : rest
}

/** Something has come that may end a wait. */
export function awake(run: OpenRunHead, seq: number): OpenRunHead {
  return { ...atWork(run), wokenAt: seq }
}

/** The run goes on, whatever it waits for. */
export function atWork(run: OpenRunHead): OpenRunHead {
  if (!run.suspended) return run
  const { suspended: _, ...rest } = run
  return rest
}
