import type {
  ApprovalDecidedEntry,
  ApprovalRequestedEntry,
  CallWokenEntry,
  RunSuspendedEntry,
  SessionHead,
  ToolStartedEntry,
  WaitingCall,
} from '@orra/core'
import { callName } from './sub-agents.ts'

/** A run that has begun and not ended, as far as a log has been read. */
export interface OpenRun {
  readonly runId: string
  readonly input: string
  /** Where something came last that may end a wait; 0 before. */
  wokenAt: number
  suspended: boolean
}

/** A call that has no result. */
export interface OpenCall {
  /** Somebody is to approve it. */
  asked?: WaitingCall
  approved?: boolean
}

/** What is said of calls, and of their run while it waits for others. */
type CallEntry = ToolStartedEntry | ApprovalRequestedEntry | ApprovalDecidedEntry | RunSuspendedEntry | CallWokenEntry

/** What a head says of an open run, but for where it began. */
export type WaitingRun = Pick<NonNullable<SessionHead['openRun']>, 'runId' | 'approvals' | 'wokenAt' | 'suspended'>

/** Folds an entry into a run and its calls. Returns why it could not come here; `spawning` names calls as `callName` does. */
export function foldCallEntry(
  entry: CallEntry,
  seq: number,
  run: OpenRun | undefined,
  calls: ReadonlyMap<string, OpenCall>,
  spawning: ReadonlySet<string>,
): string | false | undefined {
  switch (entry.type) {
    case 'tool-started': {
      const call = calls.get(entry.callId)
      if (!call) return 'a tool begins without an open call'
      return call.asked && !call.approved && 'a tool begins that nobody has approved'
    }
    case 'approval-requested': {
      const { callId, expiresAt, runId } = entry.request
      const call = calls.get(callId)
      if (!call || run?.runId !== runId) return 'an approval is asked for without an open call'
      const before = call.asked
      call.asked = { callId, seq, expiresAt }
      return before && 'an approval is asked for twice'
    }
    case 'approval-decided': {
      const call = calls.get(entry.callId)
      wake(run, seq)
      // The copy of a log may lack entries that stood before.
      if (!call?.asked || call.asked.seq > entry.asked) return 'something is decided that nobody has asked'
      if (call.approved !== undefined) return 'something is decided twice'
      call.approved = entry.approved
      return
    }
    case 'run-suspended': {
      if (run?.runId !== entry.runId) return 'a run is suspended that is not open'
      const { runId, suspended, wokenAt } = run
      run.suspended = true
      if (suspended) return 'a run is suspended that is suspended'
      if (wokenAt > entry.seen) return 'a run is suspended after something has come that it waits for'
      const waits = [...calls].some(([callId, call]) => isUndecided(call) || spawning.has(callName({ runId, callId })))
      return !waits && 'a run is suspended and waits for nothing'
    }
    case 'call-woken':
      if (run?.runId !== entry.runId) return 'a call is woken and its run is not open'
      wake(run, seq)
      return
  }
}

/** Something has come that may end a wait. */
export function wake(run: OpenRun | undefined, seq: number): void {
  if (run) Object.assign(run, { wokenAt: seq, suspended: false })
}

/** As a head is to say it. */
export function waitingRun({ runId, wokenAt, suspended }: OpenRun, calls: Iterable<OpenCall>): WaitingRun {
  const approvals = Array.from(calls).flatMap((call) => (isUndecided(call) && call.asked ? [call.asked] : []))
  return {
    runId,
    ...(approvals.length > 0 ? { approvals: approvals.toSorted((a, b) => a.seq - b.seq) } : {}),
    ...(wokenAt > 0 ? { wokenAt } : {}),
    ...(suspended ? { suspended } : {}),
  }
}

function isUndecided({ asked, approved }: OpenCall): boolean {
  return asked !== undefined && approved === undefined
}
