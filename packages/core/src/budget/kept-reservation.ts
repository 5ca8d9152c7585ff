import type { Counters } from '../store/counters.ts'

/** A reservation that counts until it is settled, or until this process is gone. */
export interface KeptReservation {
  /** Settles it, once. When it cannot be, throws what the store throws, and may be called again. */
  settle(amounts: readonly number[]): Promise<void>
}

export interface KeepOptions {
  readonly ttlMs: number
  /** How often it is extended; more than once in its lifetime, so that it outlasts a store that fails for a moment. */
  readonly everyMs: number
}

/** Extends a reservation again and again. Keeps no process from ending. */
export function keepReservation(counters: Counters, id: string, { ttlMs, everyMs }: KeepOptions): KeptReservation {
  const extend = async () => {
    const counts = await counters.extend(id, ttlMs).catch(() => undefined)
    // Whoever settles it learns what there is to know; until then, what has run out cannot be brought back.
    if (counts === false) clearInterval(beats)
  }
  const beats = setInterval(extend, everyMs).unref()
  let settled: Promise<unknown> | undefined

  return {
    async settle(amounts) {
      clearInterval(beats)
      settled ??= counters.settle(id, amounts).catch((error: unknown) => {
        settled = undefined
        throw error
      })
      await settled
    },
  }
}
