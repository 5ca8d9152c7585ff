import type { JsonValue } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Page, PageOptions, StoreOptions } from './page.ts'

/**
 * JSON documents by collection, namespace and id: memories, projects, schedules. Each has a version, so that two who
 * change one at once cannot undo each other.
 *
 * An implementer must keep:
 * - what `put` and `delete` returned for is so after the process dies;
 * - a version is never used twice in a store, not even for a record that was deleted and made anew;
 * - what is handed out is a copy, or can never be seen to change;
 * - nothing of one namespace is reachable through the key of another.
 */
export interface Records {
  get(key: RecordKey, options?: StoreOptions): Promise<StoredRecord | undefined>
  /** Writes the whole record, new or not. Throws `store.conflict` when it is not at the version that is asked for. */
  put(key: RecordKey, value: JsonValue, options?: PutOptions): Promise<StoredRecord>
  /** Returns whether there was one. Throws `store.conflict` when it is not at the version that is asked for. */
  delete(key: RecordKey, options?: PutOptions): Promise<boolean>
  /** Records by namespace, then collection, then id, in one fixed order. */
  list(options?: ListRecordsOptions): Promise<Page<StoredRecord>>
  /** Removes all records of a namespace and of every one below. Returns how many. */
  erase(namespace: Namespace, options?: StoreOptions): Promise<number>
}

/** An extra ability of records: finding them by their words. */
export interface SearchableRecords extends Records {
  /**
   * Records that hold any of the words of `text` in any of their strings, those that match best first: a record with two of
   * the words comes before one with one of them, other things being equal. Words are those of `wordsOf`, whole; text
   * without a word finds nothing.
   */
  search(text: string, options?: SearchOptions): Promise<readonly StoredRecord[]>
}

/** Whether these records can be searched. */
export function canSearch(records: Records): records is SearchableRecords {
  return 'search' in records && typeof records.search === 'function'
}

/** Names one record. */
export interface RecordKey {
  /** What kind of record, such as `memory`: 1 to 64 letters, digits, `_`, `-` and `.`. */
  readonly collection: string
  readonly namespace: Namespace
  /** Any text of 1 to 256 characters without NUL. */
  readonly id: string
}

export interface StoredRecord {
  readonly collection: string
  /** The key of the namespace. */
  readonly namespace: string
  readonly id: string
  /** Higher with every `put`; says nothing else. */
  readonly version: number
  readonly value: JsonValue
  /** Milliseconds since 1970, by the store's clock. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface PutOptions extends StoreOptions {
  /** The version that the record must be at; 0 for a record that must not be there. @default any */
  readonly version?: number | undefined
}

/** Which records are looked at. */
export interface RecordScope {
  /** @default all collections */
  readonly collection?: string | undefined
  /** Of this namespace alone. @default all namespaces */
  readonly namespace?: Namespace | undefined
  /** Of this namespace and all below it. @default all namespaces */
  readonly within?: Namespace | undefined
}

export interface ListRecordsOptions extends PageOptions, RecordScope {}

export interface SearchOptions extends StoreOptions, RecordScope {
  /** @default 10 */
  readonly limit?: number
}
