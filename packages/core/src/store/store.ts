import type { Counters } from './counters.ts'
import type { Records } from './records.ts'
import type { SessionLog } from './session-log.ts'

/**
 * Where everything durable lives: three primitives that know nothing of each other, on which all else is built. One
 * store serves any number of runtimes and, where its medium allows, of processes. What more a store may be able to do is
 * an interface of its own: `NotifyingStore`, `SearchableRecords`.
 *
 * Whatever it throws is an `OrraError`: those that the contracts of its parts name, and `store.unusable` for a medium
 * that cannot be reached, read or written.
 */
export interface Store extends AsyncDisposable {
  /** Such as `memory` or `sqlite`; for messages. */
  readonly name: string
  /** Conversations. */
  readonly sessions: SessionLog
  /** Documents. */
  readonly records: Records
  /** Amounts: what is used of what is allowed. */
  readonly counters: Counters
}
