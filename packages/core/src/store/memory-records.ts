import { checkRecordKey, checkVersion, recordValue } from './checks.ts'
import { freeze } from './freeze.ts'
import { pageOf } from './page.ts'
import type { RecordKey, RecordScope, SearchableRecords, StoredRecord } from './records.ts'
import { inSubtree } from './subtree.ts'
import { rankByWords } from './words.ts'

export function memoryRecords(now: () => number): SearchableRecords {
  const records = new Map<string, StoredRecord>()
  let lastVersion = 0

  /** The record, once it is sure to be at the version that is asked for. */
  const current = (key: RecordKey, version: number | undefined): StoredRecord | undefined => {
    const record = records.get(recordPlace(key))
    checkVersion(key, version, record?.version)
    return record
  }
  const inOrder = (scope: RecordScope, after = ''): readonly StoredRecord[] =>
    [...records]
      .filter(([place, record]) => place > after && inScope(record, scope))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, record]) => record)

  return {
    async get(key, { signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      return records.get(recordPlace(key))
    },

    async put(key, value, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const { collection, namespace, id } = key
      const at = now()
      const { createdAt = at } = current(key, version) ?? {}
      const place = { collection, namespace: namespace.key, id }
      const record = freeze({ ...place, version: ++lastVersion, value: recordValue(value), createdAt, updatedAt: at })
      records.set(recordPlace(key), record)
      return record
    },

    async delete(key, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      current(key, version)
      return records.delete(recordPlace(key))
    },

    async list({ after, limit = 100, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      return pageOf(inOrder(scope, after), limit, placeOf)
    },

    async erase(within, { signal } = {}) {
      signal?.throwIfAborted()
      const gone = inOrder({ within })
      for (const record of gone) records.delete(placeOf(record))
      return gone.length
    },

    async search(text, { limit = 10, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      return rankByWords(inOrder(scope), text, limit)
    },
  }
}

/** Sorts as `list` does: NUL, which no part holds, comes before every character that one may hold. */
function placeOf({ namespace, collection, id }: StoredRecord): string {
  return [namespace, collection, id].join('\0')
}

function recordPlace({ namespace, collection, id }: RecordKey): string {
  return [namespace.key, collection, id].join('\0')
}

function inScope(record: StoredRecord, { collection, namespace, within }: RecordScope): boolean {
  if (collection !== undefined && record.collection !== collection) return false
  if (namespace !== undefined && record.namespace !== namespace.key) return false
  return inSubtree(record.namespace, within)
}
