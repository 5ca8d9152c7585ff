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

export interface StoreOptions {
  /** Aborted before the call begins, nothing is done and its reason is thrown. What has begun is finished. */
  readonly signal?: AbortSignal | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; absent on the last one. To be handed back as `after`, and not to be read. */
  readonly next?: string
}

export interface PageOptions extends StoreOptions {
  /** The `next` of the page before. */
  readonly after?: string
  /** @default 100 */
  readonly limit?: number
}
