import {
  emptyHead,
  isPending,
  type Lease,
  type LoggedEntry,
  type Namespace,
  pageOf,
  pagePlace,
  planAppend,
  type SessionHead,
  type SessionLog,
} from '@orra/core'
import { allOf, behind, ofSubtree } from './conditions.ts'
import type { SqliteAccess } from './sqlite-access.ts'

interface SessionRow {
  readonly id: number
  /** The whole `SessionHead` as JSON. The other columns are there to be looked for. */
  readonly head: string
  readonly owner: string | null
  readonly lease_ends_at: number | null
}

/** Reading stops after the page in which this many characters of entries are reached. */
const PAGE_CHARACTERS = 8 * 1024 * 1024

const COLUMNS = 'id, head, owner, lease_ends_at'

export function sqliteSessions({ sql, reading, transaction, scrub, now }: SqliteAccess): SessionLog {
  const find = (key: string) =>
    sql(`SELECT ${COLUMNS} FROM orra_session WHERE key = ?`).get(key) as SessionRow | undefined

  /** Returns the row's id. */
  function save(id: number | undefined, head: SessionHead): number {
    const pending = isPending(head) ? 1 : 0
    const text = JSON.stringify(head)
    if (id !== undefined) {
      sql('UPDATE orra_session SET head = ?, pending = ? WHERE id = ?').run(text, pending, id)
      return id
    }
    const insert = sql('INSERT INTO orra_session (key, head, epoch, pending) VALUES (?, ?, ?, ?)')
    return Number(insert.run(head.namespace, text, head.epoch, pending).lastInsertRowid)
  }

  function insertEntries(id: number, logged: readonly LoggedEntry[]): void {
    const insert = sql('INSERT INTO orra_entry (session, seq, at, input_key, entry) VALUES (?, ?, ?, ?, ?)')
    for (const { seq, at, entry } of logged) {
      insert.run(id, seq, at, entry.type === 'input' ? entry.key : null, JSON.stringify(entry))
    }
  }

  function seqOfKey(id: number, key: string): number | undefined {
    const found = sql('SELECT seq FROM orra_entry WHERE session = ? AND input_key = ?').get(id, key)
    return found?.['seq'] as number | undefined
  }

  function leaseOf(namespace: Namespace, id: number, head: SessionHead, ttlMs: number): Lease {
    const { epoch } = head
    return {
      namespace,
      epoch,
      head,
      async renew() {
        const renew = 'UPDATE orra_session SET lease_ends_at = ? WHERE id = ? AND epoch = ?'
        return transaction(() => sql(renew).run(now() + ttlMs, id, epoch).changes === 1)
      },
      async release() {
        const release = 'UPDATE orra_session SET owner = NULL WHERE id = ? AND epoch = ?'
        await transaction(() => sql(release).run(id, epoch))
      },
    }
  }

  return {
    async append(namespace, entries, { signal, ...conditions } = {}) {
      signal?.throwIfAborted()
      return transaction(() => {
        const row = find(namespace.key)
        const { head, logged, seqs } = planAppend(namespace, row && headOf(row), entries, {
          ...conditions,
          now: now(),
          seqOfKey: (key) => (row ? seqOfKey(row.id, key) : undefined),
        })
        if (logged.length > 0) insertEntries(save(row?.id, head), logged)
        return { head, seqs, written: logged.length }
      })
    },

    async read(namespace, { after = 0, limit = 1000, signal } = {}) {
      signal?.throwIfAborted()
      return reading(() => {
        const rows = sql(`SELECT seq, at, entry FROM orra_entry
          WHERE session = (SELECT id FROM orra_session WHERE key = ?) AND seq > ? ORDER BY seq LIMIT ?`)
        const entries: LoggedEntry[] = []
        let characters = 0
        for (const row of rows.iterate(namespace.key, after, limit)) {
          const text = row['entry'] as string
          entries.push({ seq: row['seq'] as number, at: row['at'] as number, entry: JSON.parse(text) })
          characters += text.length
          if (characters > PAGE_CHARACTERS) break
        }
        return entries
      })
    },

    async head(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const row = await reading(() => find(namespace.key))
      return row && headOf(row)
    },

    async claim(namespace, { owner, ttlMs, signal }) {
      signal?.throwIfAborted()
      return transaction(() => {
        const row = find(namespace.key)
        if (row?.owner != null && (row.lease_ends_at ?? 0) > now()) return undefined
        const { epoch } = sql('UPDATE orra_fence SET epoch = epoch + 1 RETURNING epoch').get() as { epoch: number }
        const head = { ...(row ? headOf(row) : emptyHead(namespace, now())), epoch }
        const id = save(row?.id, head)
        const claim = 'UPDATE orra_session SET epoch = ?, owner = ?, lease_ends_at = ? WHERE id = ?'
        sql(claim).run(epoch, owner, now() + ttlMs, id)
        return leaseOf(namespace, id, head, ttlMs)
      })
    },

    async delete(namespace, { descendants = false, signal } = {}) {
      signal?.throwIfAborted()
      const { text, values } = descendants
        ? allOf(ofSubtree('key', namespace))
        : { text: 'key = :key', values: { key: namespace.key } }
      const count = await transaction(() => {
        sql(`DELETE FROM orra_entry WHERE session IN (SELECT id FROM orra_session WHERE ${text})`).run(values)
        return Number(sql(`DELETE FROM orra_session WHERE ${text}`).run(values).changes)
      })
      if (count > 0) await scrub()
      return count
    },

    async list({ within, pending = false, after, limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const idle = { text: 'pending = 1 AND (owner IS NULL OR lease_ends_at <= :now)', values: { now: now() } }
      const { text, values } = allOf(
        ofSubtree('key', within, after),
        behind(['key'], after),
        pending ? idle : undefined,
      )
      const select = `SELECT ${COLUMNS} FROM orra_session WHERE ${text} ORDER BY key LIMIT :limit`
      const rows = await reading(() => sql(select).all({ ...values, limit: limit + 1 }))
      return pageOf((rows as unknown as SessionRow[]).map(headOf), limit, (head) => pagePlace(head.namespace))
    },
  }
}

function headOf({ head }: SessionRow): SessionHead {
  return JSON.parse(head)
}
