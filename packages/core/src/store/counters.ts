import type { Namespace } from '../namespace.ts'
import type { Page, PageOptions, StoreOptions } from './page.ts'

/**
 * Amounts in windows of time: what a namespace has used of what it may. An amount is reserved before it is spent and
 * settled afterwards with what it really was; a reservation whose process died runs out.
 *
 * An implementer must keep:
 * - a call of `reserve` takes all of its claims or none, and no two calls at once can together overrun a limit;
 * - what `reserve` and `settle` returned for is so after the process dies;
 * - a reservation that has run out no longer counts, though it can still be settled for a day;
 * - a counter whose window has ended is not listed, and is removed sooner or later;
 * - `refusedClaim` decides what fits.
 */
export interface Counters {
  /**
   * Takes an amount from each of several counters, or from none, and then no counter is made either. All claims of a call are of one namespace and its
   * ancestors. `ttlMs` is how long the reservation counts unless it is settled or extended.
   */
  reserve(claims: readonly Claim[], options: ReserveOptions): Promise<Reservation>
  /** Lets a reservation count for another `ttlMs` from now; `false` when it was settled or has run out. */
  extend(id: string, ttlMs: number, options?: StoreOptions): Promise<boolean>
  /**
   * Replaces a reservation by what was really used, an amount for each of its claims in their order, 0 for nothing. More
   * than was reserved is counted, too. `false`, and nothing is counted, when there is no such reservation: it was settled.
   */
  settle(id: string, amounts: readonly number[], options?: StoreOptions): Promise<boolean>
  /** Counters by namespace, then name, then window, in one fixed order. */
  list(options?: ListCountersOptions): Promise<Page<Counter>>
  /** Removes all counters of a namespace and of every one below, and what is reserved on them. Returns how many. */
  erase(namespace: Namespace, options?: StoreOptions): Promise<number>
}

/** How long a reservation that has run out can still be settled, in milliseconds: a day. */
export const SETTLE_LATE_MS = 24 * 60 * 60 * 1000

/** An amount that somebody wants of one counter. */
export interface Claim {
  readonly namespace: Namespace
  /** What is counted, such as `usd` or `tokens/claude-sonnet-5`: 1 to 256 characters without NUL. */
  readonly counter: string
  /** Which window, such as `2026-11-22`: 1 to 64 characters without NUL. Windows share nothing. */
  readonly window: string
  /**
   * From when on it may be forgotten, in milliseconds since 1970 by the store's clock: the end of the window and somewhat
   * more, as clocks differ. A limit holds until then. @default never
   */
  readonly endsAt?: number
  /** A whole number, 0 or more, of whatever unit the counter has. */
  readonly amount: number
  /** What used and reserved amounts together must not pass. @default none */
  readonly limit?: number
}

export interface ReserveOptions extends StoreOptions {
  readonly ttlMs: number
}

export type Reservation =
  | { readonly granted: true; readonly id: string }
  /** `claim` is the place of the first one that does not fit; `taken` what is used and reserved of its counter. */
  | { readonly granted: false; readonly claim: number; readonly taken: number }

export interface Counter {
  /** The key of the namespace. */
  readonly namespace: string
  readonly counter: string
  readonly window: string
  readonly endsAt?: number
  /** Settled. */
  readonly used: number
  /** Reserved and not yet settled or run out. */
  readonly reserved: number
}

export interface ListCountersOptions extends PageOptions {
  /** Of this namespace alone. @default all */
  readonly namespace?: Namespace | undefined
  /** Of this namespace and all below it. @default all */
  readonly within?: Namespace | undefined
}

/** The first claim that does not fit; `taken` holds what is used and reserved of each claim's counter, in their order. */
export function refusedClaim(
  claims: readonly Claim[],
  taken: readonly number[],
): Extract<Reservation, { granted: false }> | undefined {
  const more = new Map<string, number>()
  for (const [claim, { namespace, counter, window, amount, limit = Number.MAX_SAFE_INTEGER }] of claims.entries()) {
    const name = JSON.stringify([namespace.key, counter, window])
    // Two claims of one counter add up.
    const already = (taken[claim] ?? 0) + (more.get(name) ?? 0)
    if (already + amount > limit) return { granted: false, claim, taken: already }
    more.set(name, (more.get(name) ?? 0) + amount)
  }
  return undefined
}
