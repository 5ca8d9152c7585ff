import type { Rules } from '../gate/rules.ts'
import type { Counters } from '../store/counters.ts'
import { type HeldClaim, windowClaims } from './held-claims.ts'
import { keepReservation } from './kept-reservation.ts'
import { limitReached } from './limit-words.ts'
import { costInMicroUsd } from './micro-usd.ts'
import type { Prices } from './prices.ts'
import { refusal } from './refusal.ts'
import { reserveReply } from './reserve-reply.ts'
import type { Granted, GrantedToolCall, PlannedCall, Refused } from './reserved.ts'

/**
 * Keeps everybody within the limits that policies set. What may be spent is reserved at every limit that holds, in one
 * step, before it is spent, and settled with what it really was; what a dead process had reserved runs out. Where no limit
 * holds it does nothing at all. Throws what the store throws, and the signal's reason; but what was done is done, so
 * nothing that settles or gives back ever rejects: where the store fails, it is tried again for a while.
 */
export interface Meter {
  /** Counts a message against `runsPer…`. Throws `limit.reached`. */
  admit(rules: Rules, signal: AbortSignal): Promise<Admission>
  /** Reserves what a model call may use of `tokensPer…` and `usdPer…`. */
  reserveModelCall(rules: Rules, call: PlannedCall, signal: AbortSignal): Promise<Granted | Refused>
  /** Reserves what a tool call costs of `usdPer…`. */
  reserveToolCall(rules: Rules, usd: number, signal: AbortSignal): Promise<GrantedToolCall | Refused>
  /** Counts a tool call that was made without being counted, whatever is left of `usdPer…`. */
  countToolCall(rules: Rules, usd: number, signal: AbortSignal): Promise<void>
}

interface Admission {
  /** It was accepted and counts; or it was there already, or could not be accepted, and does not. */
  settle(counts: boolean): Promise<void>
}

export interface MeterOptions {
  /** Without them nothing that costs money is granted where `usdPer…` holds. */
  readonly prices?: Prices | undefined
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** Between counting a message and having it accepted lies one write. */
const ADMISSION_TTL_MS = 60_000
const CALL = { ttlMs: 15 * 60_000, everyMs: 5 * 60_000 } as const

export function createMeter(counters: Counters, { prices, now = Date.now }: MeterOptions = {}): Meter {
  return {
    async admit(rules, signal) {
      const held = windowClaims(rules, ['runs'], now())
      if (held.length === 0) return { settle: async () => {} }
      const claims = held.map(({ place }) => ({ ...place, amount: 1 }))
      const reservation = await counters.reserve(claims, { ttlMs: ADMISSION_TTL_MS, signal })
      if (!reservation.granted) throw limitReached(held[reservation.claim] as HeldClaim, now())
      const kept = keepReservation(counters, reservation.id, { ttlMs: ADMISSION_TTL_MS, everyMs: ADMISSION_TTL_MS / 3 })
      return { settle: (counts) => kept.settle(held.map(() => (counts ? 1 : 0))) }
    },

    async reserveModelCall(rules, call, signal) {
      const held = windowClaims(rules, ['tokens', 'usd'], now())
      if (held.length === 0) return { granted: true, against: () => undefined, settle: async () => {} }
      const reply = await reserveReply({ counters, prices, held, call, now: now(), ttlMs: CALL.ttlMs, signal })
      if (!reply.granted) return reply
      const { id, planned, amountsOf, against, maxOutputTokens } = reply
      const kept = keepReservation(counters, id, CALL)
      const settle: Granted['settle'] = (used, answered = { model: call.model }) =>
        kept.settle(used ? amountsOf(used, answered) : planned)
      return { granted: true, maxOutputTokens, against, settle }
    },

    async reserveToolCall(rules, usd, signal) {
      const held = usd === 0 ? [] : windowClaims(rules, ['usd'], now())
      if (held.length === 0) return { granted: true, settle: async () => {} }
      const amount = costInMicroUsd(usd)
      const claims = held.map(({ place }) => ({ ...place, amount }))
      const reservation = await counters.reserve(claims, { ttlMs: CALL.ttlMs, signal })
      if (!reservation.granted) return refusal(held[reservation.claim] as HeldClaim, amount, now())
      const kept = keepReservation(counters, reservation.id, CALL)
      return { granted: true, settle: (wasMade) => kept.settle(held.map(() => (wasMade ? amount : 0))) }
    },

    async countToolCall(rules, usd, signal) {
      const held = usd === 0 ? [] : windowClaims(rules, ['usd'], now())
      if (held.length === 0) return
      const amount = costInMicroUsd(usd)
      const claims = held.map(({ place: { limit: _, ...place } }) => ({ ...place, amount }))
      const reservation = await counters.reserve(claims, { ttlMs: CALL.ttlMs, signal })
      if (!reservation.granted) return
      await keepReservation(counters, reservation.id, CALL).settle(held.map(() => amount))
    },
  }
}
