import type { Namespace } from '../namespace.ts'
import type { Counters } from '../store/counters.ts'
import { WINDOW_SLACK_MS, windowAt } from './windows.ts'

/** Where several processes count what they use of one quota. */
export interface SharedQuotaOptions {
  readonly counters: Counters
  /** What is counted stands here; the same in all of them, and one for each quota. */
  readonly namespace: Namespace
}

export interface SharedQuota {
  /** Takes a request and its tokens out of the minute. Throws what the store throws, and the signal's reason. */
  reserve(tokens: number, signal: AbortSignal): Promise<SharedTurn>
}

export type SharedTurn =
  | { readonly granted: true; settle(tokens: number): void }
  | { readonly granted: false; readonly retryAfterMs: number }

/** What others give back is noticed within a second. */
export const POLL_MS = 1_000
/** Outlasts the window, and then it counts no more. */
const TTL_MS = 2 * WINDOW_SLACK_MS

export function sharedQuota(
  { counters, namespace }: SharedQuotaOptions,
  limits: { readonly requests: number | undefined; readonly tokens: number | undefined },
  now: () => number,
): SharedQuota {
  return {
    async reserve(tokens, signal) {
      const { name, endsAt } = windowAt('Minute', now())
      const wanted = [
        { counter: 'model-requests', limit: limits.requests, planned: 1, usedOf: (_used: number) => 1 },
        { counter: 'model-tokens', limit: limits.tokens, planned: tokens, usedOf: (used: number) => used },
      ]
      const held = wanted.flatMap(({ limit, ...rest }) =>
        limit === undefined ? [] : { ...rest, limit: Math.floor(limit) },
      )
      const place = { namespace, window: name, endsAt: endsAt + WINDOW_SLACK_MS }
      // What is larger than a whole minute gets one that is empty.
      const claims = held.map(({ counter, limit, planned }) => {
        return { ...place, counter, limit, amount: Math.min(planned, limit) }
      })
      const reservation = await counters.reserve(claims, { ttlMs: TTL_MS, signal })
      if (!reservation.granted) return { granted: false, retryAfterMs: Math.max(1, Math.min(POLL_MS, endsAt - now())) }
      return {
        granted: true,
        settle(used) {
          const amounts = held.map(({ usedOf }) => usedOf(used))
          // Unsettled it counts as it was planned, and in the next minute not at all.
          counters.settle(reservation.id, amounts).catch(() => undefined)
        },
      }
    },
  }
}
