import type { SessionHead } from '@orra/core'

/** What Redis holds of a session beside its log. Texts and numbers only, so that nothing handed out can change it. */
export interface SessionState {
  readonly id: string
  readonly length: number
  readonly epoch: number
  readonly createdAt: number
  readonly updatedAt: number
  /** Inbox, open run and metadata, as JSON. */
  readonly rest: string
  /** Its marks in the indexes; see `namespace-index.ts`. */
  readonly listed: string
  readonly pending: string | undefined
}

/** A session as it was read, and the places of the inputs that were asked for. */
export interface FoundSession {
  readonly state: SessionState | undefined
  readonly isHeld: boolean
  readonly seqs: readonly (number | undefined)[]
}

/** The answer of `READ_STATE`. */
export function foundSession(reply: readonly (string | number | null)[]): FoundSession {
  const [id, length, epoch, created, updated, rest, listed, pending, held, ...seqs] = reply
  const state = {
    id: String(id),
    length: Number(length),
    epoch: Number(epoch),
    createdAt: Number(created),
    updatedAt: Number(updated),
    rest: String(rest),
    listed: String(listed),
    pending: pending ? String(pending) : undefined,
  }
  return {
    state: id ? state : undefined,
    isHeld: held === 1,
    seqs: seqs.map((seq) => (seq ? Number(seq) : undefined)),
  }
}

export function headOf(namespace: string, state: SessionState): SessionHead {
  const { id, length, epoch, createdAt, updatedAt, rest } = state
  return { namespace, id, length, epoch, ...JSON.parse(rest), createdAt, updatedAt }
}

export function restOf({ inbox, openRun, compaction, metadata }: SessionHead): string {
  return JSON.stringify({ inbox, openRun, compaction, metadata })
}
