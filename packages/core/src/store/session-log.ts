import type { Namespace } from '../namespace.ts'
import type { Entry, LoggedEntry } from './entry.ts'
import type { Page, PageOptions, StoreOptions } from './page.ts'
import type { SessionHead } from './session-head.ts'

/**
 * One append-only log a namespace, and the lease that makes one writer of many.
 *
 * An implementer may rely on: entries are plain JSON. An implementer must keep:
 * - what `append` returned for is there after the process dies;
 * - the entries of one `append` are all there or none is, and get consecutive `seq`s;
 * - what is handed out is a copy, or can never be seen to change;
 * - nothing of one namespace is reachable through the key of another;
 * - `planAppend` decides what an append does; a store adds only storage and atomicity to it. Where the plan writes
 *   nothing, no session is made.
 *
 * What it asks of the medium is little: a head is one JSON document, to be replaced as a whole together with the entries
 * that change it.
 *
 * Failures throw `OrraError`: those of `planAppend`, and `store.unusable`.
 */
export interface SessionLog {
  /**
   * Appends entries, atomically. `input`, `input-withdrawn` and `metadata` are free to anyone; every other kind needs
   * `epoch` and throws `store.fenced` when that is not the session's current one. An `input` whose key the session has
   * already accepted is not appended again: its place in `seqs` names the first one. An implementer must keep the keys of
   * inputs for as long as the session. It never makes an append again by itself when it does not know whether the first was
   * done: only an input could not be there twice. It throws `store.unusable`.
   */
  append(namespace: Namespace, entries: readonly Entry[], options?: AppendOptions): Promise<AppendResult>

  /** Entries in order, from the one after `after`. At most `limit`, though a store may return fewer when they are large; an empty list is the end. */
  read(namespace: Namespace, options?: ReadOptions): Promise<readonly LoggedEntry[]>

  /** The state of a session at its end; `undefined` when it has none. */
  head(namespace: Namespace, options?: StoreOptions): Promise<SessionHead | undefined>

  /**
   * Takes the session's lease and raises its epoch above every earlier one, those of a deleted session of this name
   * included. `undefined` while somebody else holds an unexpired lease. The session need not exist yet.
   */
  claim(namespace: Namespace, options: ClaimOptions): Promise<Lease | undefined>

  /** Removes the log, head and lease; with `descendants`, those of every namespace below, too. Returns how many sessions. */
  delete(namespace: Namespace, options?: DeleteOptions): Promise<number>

  /** Heads, in one fixed order by key. */
  list(options?: ListOptions): Promise<Page<SessionHead>>
}

export interface AppendOptions extends StoreOptions {
  /** Proof of the lease: `Lease.epoch`. */
  readonly epoch?: number
  /** Throw `session.busy`, and append nothing, when an input waits or a run is open; but not for inputs it knows. @default false */
  readonly ifIdle?: boolean
  /** Throw `store.conflict`, and append nothing, unless all are inputs that it knows: their places are all that is asked for. @default false */
  readonly ifKnown?: boolean
  /** Throw `store.conflict`, and append nothing, unless metadata has these values now; `null` for none. @default anything */
  readonly expect?: SessionHead['metadata'] | undefined
}

export interface AppendResult {
  /** After the append. */
  readonly head: SessionHead
  /** For each entry given, its place in the log; 0 for a withdrawal that had nothing to withdraw. */
  readonly seqs: readonly number[]
  /** How many entries were written: `AppendPlan.logged`. Not as many as were given when some were there, not needed, or withdrew others. */
  readonly written: number
}

export interface ReadOptions extends StoreOptions {
  /** @default 0, the beginning */
  readonly after?: number
  /** @default 1000 */
  readonly limit?: number
}

export interface ClaimOptions extends StoreOptions {
  /** Who claims; unique to the process, for messages. */
  readonly owner: string
  /** How long the lease lasts unless renewed, in milliseconds. */
  readonly ttlMs: number
}

export interface Lease {
  readonly namespace: Namespace
  readonly epoch: number
  /** As it was when the lease was taken. */
  readonly head: SessionHead
  /** Another `ttlMs` from now; `false` when somebody else has claimed the session since. */
  renew(): Promise<boolean>
  /** Gives the lease back. Does nothing when it was already lost. */
  release(): Promise<void>
}

export interface DeleteOptions extends StoreOptions {
  /** @default false */
  readonly descendants?: boolean
}

export interface ListOptions extends PageOptions {
  /** Only this namespace and what lies below it. @default all */
  readonly within?: Namespace | undefined
  /**
   * Only sessions with work that nobody does: an input waits or a run is open, and no lease is held. Costs what there is
   * of these, and not what there is of sessions. @default false
   */
  readonly pending?: boolean
}
