import { SETTLE_LATE_MS } from '@orra/core'
import type { Clock, Run } from './database.ts'
import type { Tables } from './schema.ts'
import { sql } from './sql.ts'

const EVERY_MS = 60_000

/** Removes counters whose window has ended and reservations that can no longer be settled, now and then as it is called. */
export function purging(run: Run, { counter, hold }: Tables, clock: Clock): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - last < EVERY_MS) return
    last = performance.now()
    // What another process is removing or using is left to the next time.
    await run(sql`DELETE FROM ${counter} WHERE (namespace, name, period) IN (
      SELECT namespace, name, period FROM ${counter} WHERE ends_at <= ${clock()} LIMIT 1000 FOR UPDATE SKIP LOCKED)`)
    await run(sql`DELETE FROM ${hold} WHERE (reservation, place) IN (
      SELECT reservation, place FROM ${hold} WHERE expires_at <= ${clock()} - ${SETTLE_LATE_MS}::bigint
      LIMIT 1000 FOR UPDATE SKIP LOCKED)`)
  }
}
