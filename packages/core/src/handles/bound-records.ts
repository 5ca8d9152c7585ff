import type { JsonValue } from '../json.ts'
import type { Page } from '../store/page.ts'
import type { StoredRecord } from '../store/records.ts'

/**
 * The documents of one namespace and no other: what a tool keeps for whoever called it. No id reaches anything of anybody
 * else's. Collections whose names begin with `orra.` are orra's own and are refused. Throws `store.invalid` and
 * `store.conflict`; everything stops with the call's signal.
 */
export interface BoundRecords {
  get(collection: string, id: string): Promise<StoredRecord | undefined>
  /** `version`: the one that the record must be at, 0 for one that must not be there. @default any */
  put(collection: string, id: string, value: JsonValue, options?: { readonly version?: number }): Promise<StoredRecord>
  delete(collection: string, id: string, options?: { readonly version?: number }): Promise<boolean>
  list(collection: string, options?: { readonly after?: string; readonly limit?: number }): Promise<Page<StoredRecord>>
}
