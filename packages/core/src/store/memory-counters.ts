import { type CounterDecision, counterBook } from './counter-book.ts'
import type { Counters } from './counters.ts'

export function memoryCounters(now: () => number): Counters {
  const book = counterBook()
  const done = <T>({ result, change }: CounterDecision<T>): T => {
    if (change) book.apply(change)
    return result
  }

  return {
    async reserve(claims, { ttlMs, signal }) {
      signal?.throwIfAborted()
      return done(book.reserve(claims, ttlMs, now()))
    },

    async extend(id, ttlMs, { signal } = {}) {
      signal?.throwIfAborted()
      return done(book.extend(id, ttlMs, now()))
    },

    async settle(id, amounts, { signal } = {}) {
      signal?.throwIfAborted()
      return done(book.settle(id, amounts, now()))
    },

    async list({ signal, ...options } = {}) {
      signal?.throwIfAborted()
      return book.list(options, now())
    },

    async erase(within, { signal } = {}) {
      signal?.throwIfAborted()
      return done(book.erase(within, now()))
    },
  }
}
