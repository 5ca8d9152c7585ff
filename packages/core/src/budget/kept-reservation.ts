import type { Counters } from '../store/counters.ts'

/** A reservation that counts until it is settled, or until this process is gone. */
export interface KeptReservation {
  /** Settles it, once. Never rejects, nor takes long: where the store fails, it goes on counting and is tried again for a while. */
  settle(amounts: readonly number[]): Promise<void>
}

export interface KeepOptions {
  readonly ttlMs: number
  /** How often it is extended; more than once in its lifetime, so that it outlasts a store that fails for a moment. */
  readonly everyMs: number
}

/** When it is settled again after a failure, in milliseconds: each time twice as long, about a quarter of an hour in all. */
const RETRY = { firstMs: 1_000, longestMs: 512_000 } as const

/** How long whoever settles it waits for that, in milliseconds. */
const PATIENCE_MS = 1_000

/** Extends a reservation again and again. Keeps no process from ending. */
export function keepReservation(counters: Counters, id: string, { ttlMs, everyMs }: KeepOptions): KeptReservation {
  const extend = async () => {
    const counts = await counters.extend(id, ttlMs).catch(() => undefined)
    // Whoever settles it learns what there is to know; until then, what has run out cannot be brought back.
    if (counts === false) clearInterval(beats)
  }
  const beats = setInterval(extend, everyMs).unref()
  let settled: Promise<void> | undefined

  async function settle(amounts: readonly number[], retryMs: number): Promise<void> {
    try {
      await counters.settle(id, amounts)
    } catch {
      if (retryMs <= RETRY.longestMs) {
        setTimeout(() => settle(amounts, 2 * retryMs), retryMs).unref()
        return
      }
    }
    clearInterval(beats)
  }

  return {
    async settle(amounts) {
      settled ??= settle(amounts, RETRY.firstMs)
      // A store that says nothing is not waited for.
      const { promise, resolve } = Promise.withResolvers<void>()
      const patience = setTimeout(resolve, PATIENCE_MS).unref()
      await Promise.race([settled, promise])
      clearTimeout(patience)
    },
  }
}
