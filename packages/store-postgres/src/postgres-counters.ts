import { randomUUID } from 'node:crypto'
import {
  type Claim,
  type Counter,
  type Counters,
  checkAmount,
  checkClaims,
  pageOf,
  pagePartsOf,
  pagePlace,
  type Reservation,
  refusedClaim,
  SETTLE_LATE_MS,
} from '@orra/core'
import type { Clock, Database } from './database.ts'
import { within as isWithin, placeOf } from './namespace-place.ts'
import { purging } from './purge-counters.ts'
import { lockOf, type Tables } from './schema.ts'
import { all, raw, type Sql, sql } from './sql.ts'

interface CounterRow {
  readonly namespace: string
  readonly long_namespace: string | null
  readonly name: string
  readonly period: string
  readonly ends_at: string | null
  readonly used: string
  readonly reserved: string
}

/** A counter stops at what JavaScript counts exactly. */
const MOST = raw(`${Number.MAX_SAFE_INTEGER}`)

const COLUMNS = raw('namespace, long_namespace, name, period, ends_at, used')
const NAMESPACE = [raw('namespace'), raw('long_namespace')] as const

export function postgresCounters({ run, transaction }: Database, tables: Tables, clock: Clock): Counters {
  const { counter, hold } = tables
  const purge = purging(run, tables, clock)
  const isOpen = () => sql`(counter.ends_at IS NULL OR counter.ends_at > ${clock()})`
  /** What is reserved of the counter of this row, and has not run out. */
  const reserved = (row: Sql) => sql`coalesce((SELECT sum(amount) FROM ${hold} AS hold
    WHERE hold.namespace = ${row}.namespace AND hold.name = ${row}.name AND hold.period = ${row}.period
    AND hold.expires_at > ${clock()}), 0)`

  /** What is taken of each claim's counter, in their order. */
  const taken = (claims: readonly Claim[]): Sql => sql`
    SELECT coalesce(counter.used, 0) + ${reserved(raw('claim'))} AS taken
    FROM unnest(
      ${claims.map(({ namespace }) => placeOf(namespace.key).place)}::text[],
      ${claims.map((claim) => claim.counter)}::text[],
      ${claims.map(({ window }) => window)}::text[]
    ) WITH ORDINALITY AS claim (namespace, name, period, place)
    LEFT JOIN ${counter} AS counter ON counter.namespace = claim.namespace AND counter.name = claim.name
    AND counter.period = claim.period AND ${isOpen()}
    ORDER BY place`

  /** Adds rows of `added` to what is used; a counter whose window has ended begins anew. */
  const adding = (added: Sql): Sql => sql`
    INSERT INTO ${counter} AS counter (namespace, long_namespace, name, period, ends_at, used)
    SELECT namespace, min(long_namespace), name, period, (array_agg(ends_at ORDER BY place))[1], least(sum(used), ${MOST})
    FROM ${added} WHERE namespace IS NOT NULL GROUP BY namespace, name, period ORDER BY namespace, name, period
    ON CONFLICT (namespace, name, period) DO UPDATE SET
    used = least(CASE WHEN ${isOpen()} THEN counter.used ELSE 0 END + excluded.used, ${MOST}),
    ends_at = CASE WHEN ${isOpen()} THEN counter.ends_at ELSE excluded.ends_at END
    WHERE excluded.used > 0 OR NOT ${isOpen()}`

  const holding = (id: string, claims: readonly Claim[], ttlMs: number): Sql => sql`
    WITH held AS (
      INSERT INTO ${hold} (reservation, place, namespace, long_namespace, name, period, ends_at, amount, expires_at)
      SELECT ${id}, place, namespace, long_namespace, name, period, ends_at, amount, ${clock()} + ${ttlMs}::bigint
      FROM unnest(
        ${claims.map(({ namespace }) => placeOf(namespace.key).place)}::text[],
        ${claims.map(({ namespace }) => placeOf(namespace.key).long)}::text[],
        ${claims.map((claim) => claim.counter)}::text[],
        ${claims.map(({ window }) => window)}::text[],
        ${claims.map(({ endsAt = null }) => endsAt)}::bigint[],
        ${claims.map(({ amount }) => amount)}::bigint[]
      ) WITH ORDINALITY AS claim (namespace, long_namespace, name, period, ends_at, amount, place)
      RETURNING *, 0 AS used
    )
    ${adding(raw('held'))}`

  return {
    async reserve(claims, { ttlMs, signal }) {
      signal?.throwIfAborted()
      checkClaims(claims)
      checkAmount(ttlMs)
      await purge()
      return transaction(locksOf(claims, counter), async (run): Promise<Reservation> => {
        const rows = await run<{ readonly taken: string }>(taken(claims))
        const refused = refusedClaim(
          claims,
          rows.map(({ taken }) => Number(taken)),
        )
        if (refused) return refused
        const id = randomUUID()
        await run(holding(id, claims, ttlMs))
        return { granted: true, id }
      })
    },

    async extend(id, ttlMs, { signal } = {}) {
      signal?.throwIfAborted()
      checkAmount(ttlMs)
      const extended = await run(sql`UPDATE ${hold} SET expires_at = ${clock()} + ${ttlMs}::bigint
        WHERE reservation = ${id} AND expires_at > ${clock()} RETURNING place`)
      return extended.length > 0
    },

    async settle(id, amounts, { signal } = {}) {
      signal?.throwIfAborted()
      amounts.forEach(checkAmount)
      const settled = await run(sql`WITH
        gone AS (
          DELETE FROM ${hold} WHERE reservation = ${id} AND expires_at + ${SETTLE_LATE_MS}::bigint > ${clock()} RETURNING *
        ),
        spent AS (
          SELECT gone.*, coalesce(amount.used, 0) AS used
          FROM gone LEFT JOIN unnest(${amounts}::bigint[]) WITH ORDINALITY AS amount (used, place) USING (place)
          WHERE ends_at IS NULL OR ends_at > ${clock()}
        ),
        added AS (${adding(raw('spent'))})
        SELECT place FROM gone`)
      return settled.length > 0
    },

    async list({ namespace, within, after, limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const [from = '', name = '', period = ''] = after === undefined ? [] : pagePartsOf(after, 3)
      const conditions = [
        isOpen(),
        sql`(namespace, name, period) > (${from}, ${name}, ${period})`,
        ...(namespace ? [sql`namespace = ${placeOf(namespace.key).place}`] : []),
        ...(within ? [isWithin(within, ...NAMESPACE)] : []),
      ]
      const found = await run<CounterRow>(sql`SELECT ${COLUMNS}, ${reserved(raw('counter'))} AS reserved
        FROM ${counter} AS counter WHERE ${all(conditions)} ORDER BY namespace, name, period LIMIT ${limit + 1}`)
      const page = pageOf(found, limit, (last) => pagePlace(last.namespace, last.name, last.period))
      return { ...page, items: page.items.map(counterOf) }
    },

    async erase(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const isMeant = isWithin(namespace, ...NAMESPACE)
      // The reservations stay, so that what they hold of other counters can be settled.
      const gone = await run(sql`WITH
        cleared AS (
          UPDATE ${hold} SET namespace = NULL, long_namespace = NULL, name = '', period = '', amount = 0 WHERE ${isMeant}
        ),
        gone AS (DELETE FROM ${counter} AS counter WHERE ${isMeant} RETURNING ${isOpen()} AS open)
        SELECT FROM gone WHERE open`)
      return gone.length
    },
  }
}

/** Whoever reserves of a counter keeps others from it meanwhile; in one order, so that no two wait for each other. */
function locksOf(claims: readonly Claim[], { text }: Sql): readonly bigint[] {
  const locks = claims.map(({ namespace, counter, window }) => {
    return lockOf(JSON.stringify([text, namespace.key, counter, window]))
  })
  return [...new Set(locks)].sort((a, b) => (a < b ? -1 : 1))
}

function counterOf(row: CounterRow): Counter {
  return {
    namespace: row.long_namespace ?? row.namespace,
    counter: row.name,
    window: row.period,
    ...(row.ends_at === null ? {} : { endsAt: Number(row.ends_at) }),
    used: Number(row.used),
    reserved: Number(row.reserved),
  }
}
