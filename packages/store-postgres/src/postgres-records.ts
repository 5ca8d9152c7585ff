import {
  checkRecordKey,
  checkVersion,
  type JsonValue,
  pageOf,
  pagePartsOf,
  pagePlace,
  type RecordKey,
  type RecordScope,
  recordValue,
  type SearchableRecords,
  type StoredRecord,
} from '@orra/core'
import type { Clock, Database } from './database.ts'
import { within as isWithin, placeOf } from './namespace-place.ts'
import { distinctWords, searching, wordsIn } from './record-search.ts'
import type { Tables } from './schema.ts'
import { all, raw, type Sql, sql } from './sql.ts'

interface RecordRow {
  readonly namespace: string
  readonly long_namespace: string | null
  readonly collection: string
  readonly id: string
  readonly version: string
  readonly value: string
  readonly created_at: string
  readonly updated_at: string
}

const COLUMNS = raw('namespace, long_namespace, collection, id, version, value, created_at, updated_at')
const NAMESPACE = [raw('namespace'), raw('long_namespace')] as const

export function postgresRecords({ run }: Database, { record, versions }: Tables, clock: Clock): SearchableRecords {
  /** No row comes back when the record is not at the version that is asked for. */
  function putting(key: RecordKey, value: JsonValue, version: number | undefined): Sql {
    const { place, long } = placeOf(key.namespace.key)
    const text = JSON.stringify(value)
    const words = sql`${wordsIn(value)}::text[]`
    const now = clock()
    if (version !== undefined && version !== 0) {
      return sql`UPDATE ${record} SET version = nextval(${versions}), value = ${text}, words = ${words}, updated_at = ${now}
        WHERE ${isRecord(key)} AND version = ${version} RETURNING ${COLUMNS}`
    }
    const replace = sql`UPDATE SET version = nextval(${versions}), value = excluded.value, words = excluded.words,
      updated_at = excluded.updated_at`
    return sql`INSERT INTO ${record} (${COLUMNS}, words)
      VALUES (${place}, ${long}, ${key.collection}, ${key.id}, nextval(${versions}), ${text}, ${now}, ${now}, ${words})
      ON CONFLICT (namespace, collection, id) DO ${version === 0 ? raw('NOTHING') : replace} RETURNING ${COLUMNS}`
  }

  async function get(key: RecordKey): Promise<StoredRecord | undefined> {
    const [row] = await run<RecordRow>(sql`SELECT ${COLUMNS} FROM ${record} WHERE ${isRecord(key)}`)
    return row && recordOf(row)
  }

  return {
    async get(key, { signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      return get(key)
    },

    async put(key, value, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const kept = recordValue(value)
      for (;;) {
        const [row] = await run<RecordRow>(putting(key, kept, version))
        if (row) return recordOf(row)
        // Unless it was in the way and is gone now, this throws.
        checkVersion(key, version, (await get(key))?.version)
      }
    },

    async delete(key, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const isMeant = version === undefined ? raw('true') : sql`version = ${version}`
      const gone = await run(sql`DELETE FROM ${record} WHERE ${isRecord(key)} AND ${isMeant} RETURNING id`)
      if (gone.length > 0) return true
      if (version !== undefined) checkVersion(key, version, (await get(key))?.version)
      return false
    },

    async list({ after, limit = 100, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      const [namespace = '', collection = '', id = ''] = after === undefined ? [] : pagePartsOf(after, 3)
      const isNext = sql`(namespace, collection, id) > (${namespace}, ${collection}, ${id})`
      const found = await run<RecordRow>(sql`SELECT ${COLUMNS} FROM ${record}
        WHERE ${isNext} AND ${inScope(scope)} ORDER BY namespace, collection, id LIMIT ${limit + 1}`)
      const page = pageOf(found, limit, (last) => pagePlace(last.namespace, last.collection, last.id))
      return { ...page, items: page.items.map(recordOf) }
    },

    async erase(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const gone = await run(sql`DELETE FROM ${record} WHERE ${isWithin(namespace, ...NAMESPACE)} RETURNING id`)
      return gone.length
    },

    async search(text, { limit = 10, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      const words = distinctWords(text)
      if (words.length === 0) return []
      return (await run<RecordRow>(searching(record, COLUMNS, words, inScope(scope), limit))).map(recordOf)
    },
  }
}

function isRecord({ namespace, collection, id }: RecordKey): Sql {
  return sql`(namespace, collection, id) = (${placeOf(namespace.key).place}, ${collection}, ${id})`
}

function inScope({ collection, namespace, within }: RecordScope): Sql {
  return all([
    ...(collection === undefined ? [] : [sql`collection = ${collection}`]),
    ...(namespace === undefined ? [] : [sql`namespace = ${placeOf(namespace.key).place}`]),
    ...(within === undefined ? [] : [isWithin(within, ...NAMESPACE)]),
  ])
}

function recordOf(row: RecordRow): StoredRecord {
  return {
    collection: row.collection,
    namespace: row.long_namespace ?? row.namespace,
    id: row.id,
    version: Number(row.version),
    value: JSON.parse(row.value),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}
