import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  emptyHead,
  type Lease,
  type LoggedEntry,
  type Namespace,
  planAppend,
  type SessionHead,
  type SessionLog,
} from '@orra/core'

interface SqliteAccess {
  readonly now: () => number
  /** Runs `work` with SQLite's errors put into orra's words. */
  readonly guarded: <T>(work: () => T) => T
}

interface SessionRow {
  readonly id: number
  readonly key: string
  readonly uid: string
  readonly length: number
  readonly epoch: number
  readonly inbox: string
  readonly open_run: string | null
  readonly open_input: string | null
  readonly metadata: string
  readonly created_at: number
  readonly updated_at: number
  readonly owner: string | null
  readonly lease_ends_at: number | null
}

/** Reading stops after the page in which this many characters of entries are reached. */
const PAGE_CHARACTERS = 8 * 1024 * 1024

/** A namespace's own key, and the half-open range of keys that begin with it and a colon: `;` follows `:`. */
const SUBTREE = `key = :key OR (key >= :key || ':' AND key < :key || ';')`

export function sqliteSessions(db: DatabaseSync, { now, guarded }: SqliteAccess): SessionLog {
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    const statement = statements.get(text) ?? db.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const find = (key: string) => sql('SELECT * FROM orra_session WHERE key = ?').get(key) as SessionRow | undefined

  /** Runs `work` alone among all processes, all or nothing. */
  function write<T>(work: () => T): T {
    return guarded(() => {
      sql('BEGIN IMMEDIATE').run()
      try {
        const result = work()
        sql('COMMIT').run()
        return result
      } catch (error) {
        if (db.isTransaction) sql('ROLLBACK').run()
        throw error
      }
    })
  }

  function insertSession(head: SessionHead): number {
    const insert = sql(`INSERT INTO orra_session
      (key, uid, length, epoch, inbox, open_run, open_input, metadata, created_at, updated_at)
      VALUES (:key, :uid, :length, :epoch, :inbox, :open_run, :open_input, :metadata, :created_at, :updated_at)`)
    const { namespace: key, id: uid, epoch, createdAt: created_at } = head
    return Number(insert.run({ key, uid, epoch, created_at, ...changing(head) }).lastInsertRowid)
  }

  function updateSession(id: number, head: SessionHead): void {
    sql(`UPDATE orra_session SET length = :length, inbox = :inbox, open_run = :open_run, open_input = :open_input,
      metadata = :metadata, updated_at = :updated_at WHERE id = :id`).run({ id, ...changing(head) })
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
        return guarded(() => sql(renew).run(now() + ttlMs, id, epoch).changes === 1)
      },
      async release() {
        guarded(() => sql('UPDATE orra_session SET owner = NULL WHERE id = ? AND epoch = ?').run(id, epoch))
      },
    }
  }

  return {
    async append(namespace, entries, { epoch, signal } = {}) {
      signal?.throwIfAborted()
      return write(() => {
        const row = find(namespace.key)
        const plan = planAppend(namespace, row && headOf(row), entries, {
          epoch,
          now: now(),
          seqOfKey: (key) => (row ? seqOfKey(row.id, key) : undefined),
        })
        if (plan.logged.length === 0) return { head: plan.head, seqs: plan.seqs }
        if (row) updateSession(row.id, plan.head)
        insertEntries(row?.id ?? insertSession(plan.head), plan.logged)
        return { head: plan.head, seqs: plan.seqs }
      })
    },

    async read(namespace, { after = 0, limit = 1000, signal } = {}) {
      signal?.throwIfAborted()
      return guarded(() => {
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
      return guarded(() => {
        const row = find(namespace.key)
        return row && headOf(row)
      })
    },

    async claim(namespace, { owner, ttlMs, signal }) {
      signal?.throwIfAborted()
      return write(() => {
        const row = find(namespace.key)
        if (row?.owner && (row.lease_ends_at ?? 0) > now()) return undefined
        const head = row ? headOf(row) : emptyHead(namespace, now())
        const id = row?.id ?? insertSession(head)
        const { epoch } = sql('UPDATE orra_fence SET epoch = epoch + 1 RETURNING epoch').get() as { epoch: number }
        const claim = 'UPDATE orra_session SET epoch = ?, owner = ?, lease_ends_at = ? WHERE id = ?'
        sql(claim).run(epoch, owner, now() + ttlMs, id)
        return leaseOf(namespace, id, { ...head, epoch }, ttlMs)
      })
    },

    async delete(namespace, { descendants = false, signal } = {}) {
      signal?.throwIfAborted()
      return write(() => {
        const condition = descendants ? SUBTREE : 'key = :key'
        const { key } = namespace
        sql(`DELETE FROM orra_entry WHERE session IN (SELECT id FROM orra_session WHERE ${condition})`).run({ key })
        return Number(sql(`DELETE FROM orra_session WHERE ${condition}`).run({ key }).changes)
      })
    },

    async list({ within, after = '', limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      return guarded(() => {
        const order = 'key > :after ORDER BY key LIMIT :limit'
        const rows = within
          ? sql(`SELECT * FROM orra_session WHERE (${SUBTREE}) AND ${order}`).all({
              key: within.key,
              after,
              limit: limit + 1,
            })
          : sql(`SELECT * FROM orra_session WHERE ${order}`).all({ after, limit: limit + 1 })
        const items = (rows as unknown as SessionRow[]).slice(0, limit).map(headOf)
        const last = items.at(-1)
        return rows.length > limit && last ? { items, next: last.namespace } : { items }
      })
    },
  }
}

/** What an append changes of a session. */
function changing({ length, inbox, openRun, metadata, updatedAt }: SessionHead) {
  return {
    length,
    inbox: JSON.stringify(inbox),
    open_run: openRun?.runId ?? null,
    open_input: openRun?.input ?? null,
    metadata: JSON.stringify(metadata),
    updated_at: updatedAt,
  }
}

function headOf(row: SessionRow): SessionHead {
  const { open_run: runId, open_input: input } = row
  return {
    namespace: row.key,
    id: row.uid,
    length: row.length,
    epoch: row.epoch,
    inbox: JSON.parse(row.inbox),
    ...(runId === null || input === null ? {} : { openRun: { runId, input } }),
    metadata: JSON.parse(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
