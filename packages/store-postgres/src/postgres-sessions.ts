import { emptyHead, type Lease, type LoggedEntry, type Namespace, pageOf, type SessionLog } from '@orra/core'
import { appender } from './append.ts'
import type { Clock, Database } from './database.ts'
import { within as isWithin, placeOf } from './namespace-place.ts'
import { recentSessions } from './recent-sessions.ts'
import type { Tables } from './schema.ts'
import { headOf, headText, SESSION_COLUMNS, type SessionRow, sessionRows } from './session-rows.ts'
import { all, raw, sql } from './sql.ts'

interface EntryRow {
  readonly seq: string
  readonly at: string
  readonly entry: string
}

/** Reading stops at the entry with which a page has this many bytes. */
const PAGE_BYTES = 8 * 1024 * 1024

const KEY = [raw('key'), raw('long_key')] as const

export function postgresSessions(database: Database, tables: Tables, clock: Clock, now = Date.now): SessionLog {
  const { run, transaction } = database
  const { session, entry, epochs } = tables
  const rows = sessionRows(tables, clock)
  const recent = recentSessions()
  const append = appender(database, rows, recent, tables, now)

  function leaseOf(namespace: Namespace, row: SessionRow, ttlMs: number): Lease {
    const isOurs = sql`id = ${row.id} AND epoch = ${row.epoch}`
    return {
      namespace,
      epoch: Number(row.epoch),
      head: headOf(row),
      async renew() {
        const renewed = await run(sql`UPDATE ${session} SET lease_ends_at = ${clock()} + ${ttlMs}::bigint
          WHERE ${isOurs} RETURNING id`)
        return renewed.length > 0
      },
      async release() {
        await run(sql`UPDATE ${session} SET owner = NULL WHERE ${isOurs}`)
      },
    }
  }

  return {
    async append(namespace, entries, { signal, ...conditions } = {}) {
      signal?.throwIfAborted()
      return append(namespace, entries, conditions)
    },

    async read(namespace, { after = 0, limit = 1000, signal } = {}) {
      signal?.throwIfAborted()
      const found = await run<EntryRow>(sql`SELECT seq, at, entry FROM (
        SELECT *, sum(octet_length(entry)) OVER (ORDER BY seq) - octet_length(entry) AS bytes_before FROM (
          SELECT seq, at, entry FROM ${entry}
          WHERE session = (SELECT id FROM ${session} WHERE key = ${placeOf(namespace.key).place}) AND seq > ${after}
          ORDER BY seq LIMIT ${limit}
        ) AS page
      ) AS sized WHERE bytes_before < ${PAGE_BYTES} ORDER BY seq`)
      return found.map(({ seq, at, entry }): LoggedEntry => {
        return { seq: Number(seq), at: Number(at), entry: JSON.parse(entry) }
      })
    },

    async head(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const row = await rows.find(run, namespace.key, [])
      return row && headOf(row)
    },

    async claim(namespace, { owner, ttlMs, signal }) {
      signal?.throwIfAborted()
      const { place, long } = placeOf(namespace.key)
      const leaseEndsAt = sql`${clock()} + ${ttlMs}::bigint`
      const head = headText(emptyHead(namespace, 0))
      const [row] = await run<SessionRow>(sql`INSERT INTO ${session} AS held
        (key, long_key, head, length, epoch, pending, created_at, updated_at, owner, lease_ends_at)
        VALUES (${place}, ${long}, ${head}, 0, nextval(${epochs}), false, ${clock()}, ${clock()}, ${owner}, ${leaseEndsAt})
        ON CONFLICT (key) DO UPDATE
        SET epoch = nextval(${epochs}), owner = excluded.owner, lease_ends_at = excluded.lease_ends_at
        WHERE held.owner IS NULL OR held.lease_ends_at <= ${clock()}
        RETURNING ${SESSION_COLUMNS}`)
      if (!row) return undefined
      recent.set(namespace, row)
      return leaseOf(namespace, row, ttlMs)
    },

    async delete(namespace, { descendants = false, signal } = {}) {
      signal?.throwIfAborted()
      const isMeant = descendants ? isWithin(namespace, ...KEY) : sql`key = ${placeOf(namespace.key).place}`
      recent.forget(namespace)
      return transaction([], async (run) => {
        const gone = await run<{ readonly id: string }>(sql`DELETE FROM ${session} WHERE ${isMeant} RETURNING id`)
        // A statement of its own, which sees what was appended while the one before waited.
        await run(sql`DELETE FROM ${entry} WHERE session = ANY(${gone.map(({ id }) => id)}::bigint[])`)
        return gone.length
      })
    },

    async list({ within, pending = false, after = '', limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const conditions = [
        sql`key > ${after}`,
        ...(within ? [isWithin(within, ...KEY)] : []),
        ...(pending ? [sql`pending AND (owner IS NULL OR lease_ends_at <= ${clock()})`] : []),
      ]
      const found = await run<SessionRow & { readonly key: string }>(sql`SELECT key, ${SESSION_COLUMNS} FROM ${session}
        WHERE ${all(conditions)} ORDER BY key LIMIT ${limit + 1}`)
      const page = pageOf(found, limit, ({ key }) => key)
      return { ...page, items: page.items.map(headOf) }
    },
  }
}
