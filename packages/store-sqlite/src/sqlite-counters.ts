import { randomUUID } from 'node:crypto'
import {
  type Claim,
  type Counter,
  type Counters,
  checkAmount,
  checkClaims,
  pageOf,
  pagePlace,
  refusedClaim,
  SETTLE_LATE_MS,
} from '@orra/core'
import { allOf, behind, ofNamespace, ofSubtree } from './conditions.ts'
import type { SqliteAccess } from './sqlite-access.ts'

interface CounterRow {
  readonly namespace: string
  readonly counter: string
  readonly window: string
  readonly ends_at: number | null
}

const ORDER = ['namespace', 'counter', 'window']

/** What unexpired reservations hold of the counter that `of` names. */
const reservedOf = (of: { readonly [column in 'namespace' | 'counter' | 'window']: string }) => `(
  SELECT coalesce(sum(amount), 0) FROM orra_claim JOIN orra_reservation ON orra_reservation.id = orra_claim.reservation
  WHERE orra_claim.namespace = ${of.namespace} AND orra_claim.counter = ${of.counter}
    AND orra_claim.window = ${of.window} AND expires_at > :now)`

const RESERVED_OF_NAMED = reservedOf({ namespace: ':namespace', counter: ':counter', window: ':window' })
const RESERVED_OF_ROW = reservedOf({
  namespace: 'orra_counter.namespace',
  counter: 'orra_counter.counter',
  window: 'orra_counter.window',
})

export function sqliteCounters({ sql, reading, transaction, scrub, now }: SqliteAccess): Counters {
  function takenOf({ namespace, counter, window }: Claim): number {
    const taken = sql(`SELECT ${RESERVED_OF_NAMED} + coalesce((SELECT used FROM orra_counter
      WHERE namespace = :namespace AND counter = :counter AND window = :window), 0) AS taken`)
    return taken.get({ namespace: namespace.key, counter, window, now: now() })?.['taken'] as number
  }

  /** Adds to what is used of a counter, which need not be there yet. */
  function use({ namespace, counter, window, ends_at }: CounterRow, used: number): void {
    sql(`INSERT INTO orra_counter (namespace, counter, window, ends_at, used)
      VALUES (:namespace, :counter, :window, :ends_at, :used)
      ON CONFLICT DO UPDATE SET used = min(used + :used, ${Number.MAX_SAFE_INTEGER})`).run({
      ...{ namespace, counter, window, ends_at, used },
    })
  }

  function forgetOld(): void {
    const old = now() - SETTLE_LATE_MS
    sql('DELETE FROM orra_counter WHERE ends_at <= ?').run(now())
    for (const { id } of sql('SELECT id FROM orra_reservation WHERE expires_at <= ?').all(old)) forget(id as string)
  }

  /** Returns whether there was such a reservation. */
  function forget(id: string): boolean {
    sql('DELETE FROM orra_claim WHERE reservation = ?').run(id)
    return sql('DELETE FROM orra_reservation WHERE id = ?').run(id).changes === 1
  }

  return {
    async reserve(claims, { ttlMs, signal }) {
      signal?.throwIfAborted()
      checkClaims(claims)
      checkAmount(ttlMs)
      return transaction(() => {
        forgetOld()
        const refused = refusedClaim(claims, claims.map(takenOf))
        if (refused) return refused
        const id = randomUUID()
        sql('INSERT INTO orra_reservation (id, expires_at) VALUES (?, ?)').run(id, now() + ttlMs)
        const insert = sql(
          'INSERT INTO orra_claim VALUES (:reservation, :place, :namespace, :counter, :window, :ends_at, :amount)',
        )
        for (const [place, { namespace, counter, window, endsAt, amount }] of claims.entries()) {
          const row = { namespace: namespace.key, counter, window, ends_at: endsAt ?? null }
          use(row, 0)
          insert.run({ ...row, reservation: id, place, amount })
        }
        return { granted: true, id }
      })
    },

    async extend(id, ttlMs, { signal } = {}) {
      signal?.throwIfAborted()
      checkAmount(ttlMs)
      const extend = 'UPDATE orra_reservation SET expires_at = ? WHERE id = ? AND expires_at > ?'
      return transaction(() => sql(extend).run(now() + ttlMs, id, now()).changes === 1)
    },

    async settle(id, amounts, { signal } = {}) {
      signal?.throwIfAborted()
      amounts.forEach(checkAmount)
      return transaction(() => {
        forgetOld()
        const claims = sql(`SELECT place, namespace, counter, window, ends_at FROM orra_claim
          WHERE reservation = ? AND (ends_at IS NULL OR ends_at > ?)`).all(id, now())
        if (!forget(id)) return false
        for (const claim of claims) use(claim as unknown as CounterRow, amounts[claim['place'] as number] ?? 0)
        return true
      })
    },

    async list({ namespace, within, after, limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const open = { text: 'ends_at IS NULL OR ends_at > :now', values: { now: now() } }
      const place = behind(ORDER, after, namespace ? 1 : 0)
      const scope = allOf(open, ofNamespace(namespace), ofSubtree('namespace', within, after), place)
      const select = `SELECT namespace, counter, window, ends_at AS endsAt, used, ${RESERVED_OF_ROW} AS reserved
        FROM orra_counter WHERE ${scope.text} ORDER BY ${ORDER.join(', ')} LIMIT :limit`
      const rows = await reading(() => sql(select).all({ ...scope.values, limit: limit + 1 }))
      return pageOf(rows.map(counterOf), limit, ({ namespace, counter, window }) =>
        pagePlace(namespace, counter, window),
      )
    },

    async erase(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      const { text, values } = allOf(ofSubtree('namespace', namespace))
      const count = await transaction(() => {
        forgetOld()
        sql(`DELETE FROM orra_claim WHERE ${text}`).run(values)
        return Number(sql(`DELETE FROM orra_counter WHERE ${text}`).run(values).changes)
      })
      await scrub()
      return count
    },
  }
}

function counterOf({ endsAt, ...row }: Record<string, unknown>): Counter {
  return { ...row, ...(endsAt === null ? {} : { endsAt }) } as unknown as Counter
}
