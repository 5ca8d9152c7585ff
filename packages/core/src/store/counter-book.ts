import { randomUUID } from 'node:crypto'
import type { Namespace } from '../namespace.ts'
import { checkAmount, checkClaims } from './checks.ts'
import {
  type Claim,
  type Counter,
  type ListCountersOptions,
  type Reservation,
  refusedClaim,
  SETTLE_LATE_MS,
} from './counters.ts'
import type { Page } from './page.ts'
import { pageOf } from './page.ts'
import { inSubtree, isUnder } from './subtree.ts'

/**
 * The rules of counters, for stores that keep them in memory and write down what changes. A method decides and changes
 * nothing; what it returns as `change` is plain JSON, to be written and then applied, now and whenever the store is opened
 * again. Throws `store.invalid`.
 */
export interface CounterBook {
  reserve(claims: readonly Claim[], ttlMs: number, now: number): CounterDecision<Reservation>
  extend(id: string, ttlMs: number, now: number): CounterDecision<boolean>
  settle(id: string, amounts: readonly number[], now: number): CounterDecision<boolean>
  erase(within: Namespace, now: number): CounterDecision<number>
  apply(change: CounterChange): void
  list(options: ListCountersOptions, now: number): Page<Counter>
  /** One change that makes a new book what this one is, without what has ended. */
  everything(now: number): CounterChange
}

export interface CounterDecision<Result> {
  readonly result: Result
  /** Absent when nothing changes. */
  readonly change?: CounterChange
}

export type CounterChange =
  | { readonly type: 'reserved'; readonly at: number; readonly reservation: BookedReservation }
  | { readonly type: 'extended'; readonly id: string; readonly expiresAt: number }
  | { readonly type: 'settled'; readonly at: number; readonly id: string; readonly amounts: readonly number[] }
  | { readonly type: 'erased'; readonly within: string }
  | {
      readonly type: 'everything'
      readonly counters: readonly BookedCounter[]
      readonly reservations: readonly BookedReservation[]
    }

type BookedCounter = Omit<Counter, 'reserved'>

interface BookedReservation {
  readonly id: string
  /** `null` where the namespace was erased since. */
  readonly claims: readonly (BookedClaim | null)[]
  readonly expiresAt: number
}

type BookedClaim = Omit<BookedCounter, 'used'> & { readonly amount: number }

/** How often it is looked for what has ended, in milliseconds. */
const FORGET_MS = 60_000

interface Kept extends Omit<BookedCounter, 'used'> {
  used: number
  /** The reservations that claim something of it. */
  readonly reservedBy: Set<string>
}

export function counterBook(): CounterBook {
  const counters = new Map<string, Kept>()
  const reservations = new Map<string, BookedReservation>()
  let forgotAt = Number.NEGATIVE_INFINITY

  function reservedOf(place: string, { reservedBy }: Kept, now: number): number {
    let sum = 0
    for (const id of reservedBy) {
      const { claims, expiresAt } = reservations.get(id) ?? { claims: [], expiresAt: 0 }
      if (expiresAt <= now) continue
      for (const claim of claims) if (claim && placeOf(claim) === place) sum += claim.amount
    }
    return sum
  }

  function taken(claim: BookedClaim, now: number): number {
    const place = placeOf(claim)
    const kept = counters.get(place)
    return kept && !hasEnded(kept, now) ? kept.used + reservedOf(place, kept, now) : 0
  }

  function settleable(id: string, now: number): BookedReservation | undefined {
    const found = reservations.get(id)
    return found && found.expiresAt + SETTLE_LATE_MS > now ? found : undefined
  }

  /** The counter of a claim, made where there is none in a window that has not ended. */
  function open({ amount: _, ...claim }: BookedClaim, at: number): Kept {
    const found = counters.get(placeOf(claim))
    if (found && !hasEnded(found, at)) return found
    const kept = { ...claim, used: 0, reservedBy: new Set<string>() }
    counters.set(placeOf(claim), kept)
    return kept
  }

  function reserve(reservation: BookedReservation, at: number): void {
    reservations.set(reservation.id, reservation)
    for (const claim of reservation.claims) if (claim) open(claim, at).reservedBy.add(reservation.id)
  }

  function settle(id: string, amounts: readonly number[], at: number): void {
    const { claims = [] } = reservations.get(id) ?? {}
    reservations.delete(id)
    for (const [index, claim] of claims.entries()) {
      if (!claim || hasEnded(claim, at)) continue
      const kept = open(claim, at)
      kept.used = Math.min(kept.used + (amounts[index] ?? 0), Number.MAX_SAFE_INTEGER)
      kept.reservedBy.delete(id)
    }
  }

  function erase(within: string): void {
    for (const [place, { namespace }] of counters) if (isUnder(namespace, within)) counters.delete(place)
    for (const [id, reservation] of reservations) {
      const claims = reservation.claims.map((claim) => (claim && isUnder(claim.namespace, within) ? null : claim))
      reservations.set(id, { ...reservation, claims })
    }
  }

  /** What has ended takes no room for much longer than it must. */
  function forget(now: number): void {
    if (now - forgotAt < FORGET_MS && now >= forgotAt) return
    forgotAt = now
    for (const [place, kept] of counters) if (hasEnded(kept, now)) counters.delete(place)
    for (const id of reservations.keys()) if (!settleable(id, now)) reservations.delete(id)
  }

  return {
    reserve(claims, ttlMs, now) {
      checkClaims(claims)
      checkAmount(ttlMs)
      const booked = claims.map(bookedClaim)
      const refused = refusedClaim(
        claims,
        booked.map((claim) => taken(claim, now)),
      )
      if (refused) return { result: refused }
      const id = randomUUID()
      const reservation = { id, claims: booked, expiresAt: now + ttlMs }
      return { result: { granted: true, id }, change: { type: 'reserved', at: now, reservation } }
    },

    extend(id, ttlMs, now) {
      checkAmount(ttlMs)
      const found = reservations.get(id)
      if (!found || found.expiresAt <= now) return { result: false }
      return { result: true, change: { type: 'extended', id, expiresAt: now + ttlMs } }
    },

    settle(id, amounts, now) {
      for (const amount of amounts) checkAmount(amount)
      if (!settleable(id, now)) return { result: false }
      return { result: true, change: { type: 'settled', at: now, id, amounts: [...amounts] } }
    },

    erase({ key }, now) {
      const gone = [...counters.values()].filter((kept) => !hasEnded(kept, now) && isUnder(kept.namespace, key))
      return { result: gone.length, change: { type: 'erased', within: key } }
    },

    apply(change) {
      switch (change.type) {
        case 'reserved':
          forget(change.at)
          reserve(change.reservation, change.at)
          return
        case 'extended': {
          const found = reservations.get(change.id)
          if (found) reservations.set(change.id, { ...found, expiresAt: change.expiresAt })
          return
        }
        case 'settled':
          settle(change.id, change.amounts, change.at)
          return
        case 'erased':
          erase(change.within)
          return
        case 'everything':
          counters.clear()
          reservations.clear()
          for (const counter of change.counters) counters.set(placeOf(counter), { ...counter, reservedBy: new Set() })
          for (const reservation of change.reservations) reserve(reservation, Number.NEGATIVE_INFINITY)
      }
    },

    list({ namespace, within, after = '', limit = 100 }, now) {
      const isWanted = ([place, kept]: readonly [string, Kept]) =>
        place > after &&
        !hasEnded(kept, now) &&
        (namespace === undefined || kept.namespace === namespace.key) &&
        inSubtree(kept.namespace, within)
      const found = [...counters].filter(isWanted).sort(([a], [b]) => (a < b ? -1 : 1))
      const items = found.map(([place, kept]) => ({ ...bookedCounter(kept), reserved: reservedOf(place, kept, now) }))
      return pageOf(items, limit, placeOf)
    },

    everything: (now) => ({
      type: 'everything',
      counters: [...counters.values()].filter((kept) => !hasEnded(kept, now)).map(bookedCounter),
      reservations: [...reservations.keys()].flatMap((id) => settleable(id, now) ?? []),
    }),
  }
}

function bookedClaim({ namespace, counter, window, endsAt, amount }: Claim): BookedClaim {
  return { namespace: namespace.key, counter, window, amount, ...(endsAt === undefined ? {} : { endsAt }) }
}

function bookedCounter({ reservedBy: _, ...counter }: Kept): BookedCounter {
  return counter
}

/** Sorts as lists do: NUL, which no part holds, comes before every character that one may hold. */
function placeOf({ namespace, counter, window }: Pick<Counter, 'namespace' | 'counter' | 'window'>): string {
  return [namespace, counter, window].join('\0')
}

function hasEnded({ endsAt }: { readonly endsAt?: number }, now: number): boolean {
  return endsAt !== undefined && endsAt <= now
}
