import {
  checkRecordKey,
  checkVersion,
  type Namespace,
  pageOf,
  pagePlace,
  type RecordKey,
  type RecordScope,
  recordValue,
  type SearchableRecords,
  type StoredRecord,
  textIn,
  wordsOf,
} from '@orra/core'
import { allOf, behind, type Conditions, ofNamespace, ofSubtree } from './conditions.ts'
import type { SqliteAccess } from './sqlite-access.ts'

interface RecordRow {
  readonly rowid: number
  readonly namespace: string
  readonly collection: string
  readonly id: string
  readonly version: number
  readonly value: string
  readonly created_at: number
  readonly updated_at: number
}

type Fence = Pick<RecordRow, 'version'>

const ORDER = ['namespace', 'collection', 'id']

export function sqliteRecords({ sql, reading, transaction, scrub, now }: SqliteAccess): SearchableRecords {
  const find = ({ namespace, collection, id }: RecordKey) =>
    sql('SELECT * FROM orra_record WHERE namespace = ? AND collection = ? AND id = ?').get(
      namespace.key,
      collection,
      id,
    ) as RecordRow | undefined

  function save(row: Omit<RecordRow, 'rowid'>): number {
    const upsert = sql(`INSERT INTO orra_record (namespace, collection, id, version, value, created_at, updated_at)
      VALUES (:namespace, :collection, :id, :version, :value, :created_at, :updated_at)
      ON CONFLICT DO UPDATE SET version = :version, value = :value, updated_at = :updated_at RETURNING rowid`)
    return upsert.get({ ...row })?.['rowid'] as number
  }

  function index(rowid: number, namespace: Namespace, words: readonly string[]): void {
    sql('DELETE FROM orra_record_words WHERE rowid = ?').run(rowid)
    if (words.length === 0) return
    const within = namespace.ancestors().map(({ key }) => asToken(key))
    const insert = sql('INSERT INTO orra_record_words (rowid, within, words) VALUES (?, ?, ?)')
    insert.run(rowid, within.join(' '), words.join(' '))
  }

  function hasWords({ value }: RecordRow, words: readonly string[]): boolean {
    const had = wordsOf(textIn(JSON.parse(value))).map(asToken)
    return had.length === words.length && had.every((word, at) => word === words[at])
  }

  function remove({ text, values }: Conditions): number {
    sql(`DELETE FROM orra_record_words WHERE rowid IN (SELECT rowid FROM orra_record WHERE ${text})`).run(values)
    return Number(sql(`DELETE FROM orra_record WHERE ${text}`).run(values).changes)
  }

  return {
    async get(key, { signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const row = await reading(() => find(key))
      return row && recordOf(row)
    },

    async put(key, value, { version: wanted, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      const { collection, namespace, id } = key
      // Dividing a long text takes its time; no other process has to wait for it.
      const kept = recordValue(value)
      const words = wordsOf(textIn(kept)).map(asToken)
      const text = JSON.stringify(kept)
      return transaction(() => {
        const found = find(key)
        checkVersion(key, wanted, found?.version)
        const { version } = sql('UPDATE orra_fence SET version = version + 1 RETURNING version').get() as Fence
        const at = now()
        const times = { created_at: found?.created_at ?? at, updated_at: at }
        const row = { collection, namespace: namespace.key, id, version, value: text, ...times }
        const rowid = save(row)
        // Much of what is written again and again has the same words as before, and only other numbers.
        if (!found || !hasWords(found, words)) index(rowid, namespace, words)
        return recordOf(row)
      })
    },

    async delete(key, { version, signal } = {}) {
      signal?.throwIfAborted()
      checkRecordKey(key)
      return transaction(() => {
        const found = find(key)
        checkVersion(key, version, found?.version)
        return found !== undefined && remove({ text: 'rowid = :rowid', values: { rowid: found.rowid } }) > 0
      })
    },

    async list({ after, limit = 100, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      const fixed = !scope.namespace ? 0 : scope.collection === undefined ? 1 : 2
      const { text, values } = allOf(inScope(scope, after), behind(ORDER, after, fixed))
      const select = `SELECT * FROM orra_record WHERE ${text} ORDER BY ${ORDER.join(', ')} LIMIT :limit`
      const rows = await reading(() => sql(select).all({ ...values, limit: limit + 1 }))
      return pageOf((rows as unknown as RecordRow[]).map(recordOf), limit, ({ namespace, collection, id }) =>
        pagePlace(namespace, collection, id),
      )
    },

    async erase(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const count = await transaction(() => {
        const count = remove(allOf(ofSubtree('namespace', namespace)))
        // The index keeps the words of what is gone until it is merged.
        if (count > 0) sql("INSERT INTO orra_record_words (orra_record_words) VALUES ('optimize')").run()
        return count
      })
      if (count > 0) await scrub()
      return count
    },

    async search(text, { limit = 10, signal, ...scope } = {}) {
      signal?.throwIfAborted()
      const words = [...new Set(wordsOf(text))]
      if (words.length === 0) return []
      const root = scope.namespace ?? scope.within
      const within = root ? ` AND within : ${quoted(root.key)}` : ''
      const query = `words : (${words.map(quoted).join(' OR ')})${within}`
      const conditions = allOf({ text: 'orra_record_words MATCH :query', values: { query } }, inScope(scope))
      // What is matched in the first column, the namespaces, says nothing of how well a record fits.
      const select = `SELECT orra_record.* FROM orra_record_words JOIN orra_record ON orra_record.rowid = orra_record_words.rowid
        WHERE ${conditions.text} ORDER BY bm25(orra_record_words, 0, 1), orra_record.rowid LIMIT :limit`
      const rows = await reading(() => sql(select).all({ ...conditions.values, limit }))
      return (rows as unknown as RecordRow[]).map(recordOf)
    },
  }
}

function inScope({ collection, namespace, within }: RecordScope, after?: string): Conditions {
  const ofCollection = collection !== undefined && { text: 'collection = :collection', values: { collection } }
  return allOf(ofCollection || undefined, ofNamespace(namespace), ofSubtree('namespace', within, after))
}

function recordOf(row: Omit<RecordRow, 'rowid'>): StoredRecord {
  const { namespace, collection, id, version, value, created_at: createdAt, updated_at: updatedAt } = row
  return { collection, namespace, id, version, value: JSON.parse(value), createdAt, updatedAt }
}

/** SQLite ends a word at every ASCII sign, where `wordsOf` does not; so these become signs of private use. */
function asToken(word: string): string {
  return word.replaceAll(/[^a-zA-Z0-9\u0080-\u{10ffff}]/gu, (sign) => String.fromCharCode(0xe000 + sign.charCodeAt(0)))
}

function quoted(word: string): string {
  return `"${asToken(word)}"`
}
