import {
  checkRecordKey,
  checkVersion,
  type JsonValue,
  type Page,
  type PutOptions,
  pageOf,
  type RecordKey,
  recordValue,
  type SearchableRecords,
  type StoredRecord,
  textIn,
  wordsOf,
} from '@orra/core'
import { fieldsInScope } from './fields-in-scope.ts'
import { namespaceIndex } from './namespace-index.ts'
import { DELETE, ERASE, FIELDS, GET, PUT } from './record-scripts.ts'
import { type RecordPlace, searchRecords } from './record-search.ts'
import type { RedisAccess } from './redis-access.ts'
import { NEXT } from './script.ts'
import { spareMark } from './spare-mark.ts'
import { fieldOf, storedRecord } from './stored-record.ts'

type PutReply =
  | readonly ['conflict' | 'late', found: string]
  | readonly ['unlisted']
  | readonly ['put', createdAt: string, updatedAt: string, mark: string]

export function redisRecords(access: RedisAccess): SearchableRecords {
  const { keys } = access
  const index = namespaceIndex(access, keys.recordIndex)

  async function put(key: RecordKey, value: JsonValue, wanted: number | undefined): Promise<StoredRecord> {
    const { collection, id } = key
    const namespace = key.namespace.key
    const copy = recordValue(value)
    const text = JSON.stringify(copy)
    const words = [...new Set(wordsOf(textIn(copy)))].join(' ')
    const mark = spareMark(index, namespace)
    let given = ''
    let lastVersion = 0
    try {
      for (;;) {
        const version = await access.run<number>(NEXT, [keys.version], [lastVersion])
        const args = [fieldOf(key), wanted ?? '', version, text, words, given]
        const reply = await access.run<PutReply>(PUT, keys.records(namespace), args)
        if (given !== '' && reply[3] !== given) mark.giveBack(given)
        if (reply[0] === 'put') {
          const times = { createdAt: Number(reply[1]), updatedAt: Number(reply[2]) }
          return { collection, namespace, id, version, value: copy, ...times }
        }
        if (reply[0] === 'conflict') checkVersion(key, wanted, Number(reply[1]))
        if (reply[0] === 'late') lastVersion = Number(reply[1])
        if (reply[0] === 'unlisted') await mark.drop()
        given = reply[0] === 'unlisted' || given !== '' ? await mark.take() : ''
      }
    } finally {
      await mark.drop()
    }
  }

  async function remove(key: RecordKey, { version }: PutOptions): Promise<boolean> {
    const namespace = key.namespace.key
    const args = [fieldOf(key), version ?? '']
    const [answer, told] = await access.run<readonly string[]>(DELETE, keys.records(namespace), args)
    if (answer === 'conflict') checkVersion(key, version, Number(told))
    if (answer === 'deleted' && told) await index.remove(namespace, told)
    return answer === 'deleted'
  }

  async function eraseOne(namespace: string): Promise<number> {
    const [count, mark] = await access.run<readonly [number, string | null]>(ERASE, keys.records(namespace))
    if (mark !== null) await index.remove(namespace, mark)
    return count
  }

  /** Records at these places, in the same order, without those that are gone. */
  async function recordsAt(places: readonly RecordPlace[]): Promise<readonly StoredRecord[]> {
    const byNamespace = Map.groupBy(places, ({ namespace }) => namespace)
    const read = Array.from(byNamespace, async ([namespace, those]) => {
      const fields = those.map(({ field }) => field)
      const texts = await access.run<readonly (string | null)[]>(GET, keys.records(namespace), fields)
      return fields.flatMap((field, at) => {
        const text = texts[at]
        return text ? [storedRecord(namespace, field, text)] : []
      })
    })
    return (await Promise.all(read)).flat()
  }

  return {
    async get(key, { signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const [record] = await recordsAt([{ namespace: key.namespace.key, field: fieldOf(key) }])
      return record
    },

    async put(key, value, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      return await put(key, value, version)
    },

    async delete(key, options = {}) {
      options.signal?.throwIfAborted()
      checkRecordKey(key)
      return await remove(key, options)
    },

    async list({ collection, limit = 100, signal, ...scope } = {}): Promise<Page<StoredRecord>> {
      signal?.throwIfAborted()
      const [start, end] = collection === undefined ? ['-', '+'] : [`[${collection}\0`, `(${collection}\x01`]
      const places = await fieldsInScope(index, scope, limit + 1, async (namespace, after, count) => {
        const from = after === undefined || isBelow(after, collection) ? start : `(${after}`
        const args = [from, end, count]
        const [mark, fields] = await access.run<FieldsReply>(FIELDS, keys.records(namespace), args)
        return { mark, found: fields.map((field) => ({ namespace, field })) }
      })
      const { items, next } = pageOf(places, limit, ({ namespace, field }) => `${namespace}\0${field}`)
      return { items: await recordsAt(items), ...(next === undefined ? {} : { next }) }
    },

    async erase(within, { signal } = {}) {
      signal?.throwIfAborted()
      let count = 0
      for await (const entries of index.batches(within)) {
        const erased = await Promise.all(entries.map(({ namespace }) => eraseOne(namespace)))
        for (const one of erased) count += one
      }
      return count
    },

    async search(text, { limit = 10, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      return await searchRecords(access, index, text, scope, limit)
    },
  }
}

type FieldsReply = readonly [mark: string | null, fields: readonly string[]]

/** Whether a field comes before all of a collection; a page may be asked for on from that of another one. */
function isBelow(field: string, collection: string | undefined): boolean {
  return collection !== undefined && field < `${collection}\0`
}
