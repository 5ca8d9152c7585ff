import type { Claim, Counters } from '../store/counters.ts'
import type { HeldClaim } from './held-claims.ts'
import { keepReservation } from './kept-reservation.ts'

/** Places among the runs that may be at work at the same time, as all processes share them through the store. */
export interface Places {
  /**
   * A place at all of these limits at once, or the limit that has none left. Who gives way takes none while somebody
   * waits there in another process. Throws what the store throws, and the signal's reason.
   */
  take(held: readonly HeldClaim[], givesWay: boolean, signal: AbortSignal): Promise<Taken>
  /** Has those who give way know that somebody waits at a limit. */
  wait(held: HeldClaim): Waiting
}

export type Taken =
  /** Disposing of it never throws: a place that cannot be given back runs out by itself. */
  | { readonly place: AsyncDisposable }
  /** `isReserved`: there may be one, but others wait for it. */
  | { readonly full: HeldClaim; readonly isReserved: boolean }

/** Counts for a few seconds, unless it is renewed or disposed. Neither throws. */
export interface Waiting extends Disposable {
  renew(): void
}

const PLACE = { ttlMs: 30_000, everyMs: 10_000 } as const
const WAITING_MS = 5_000

export function openPlaces(counters: Counters): Places {
  async function reserveWaiting(claim: Claim): Promise<string | undefined> {
    const reservation = await counters.reserve([claim], { ttlMs: WAITING_MS })
    return reservation.granted ? reservation.id : undefined
  }

  return {
    async take(held, givesWay, signal) {
      const places = held.map(({ place }) => ({ ...place, amount: 1 }))
      // Takes nothing, and does not fit as long as anybody has taken something.
      const others = givesWay ? held.map((limit) => ({ ...waitingAt(limit), amount: 0, limit: 0 })) : []
      const reservation = await counters.reserve([...places, ...others], { ttlMs: PLACE.ttlMs, signal })
      if (!reservation.granted) {
        const { claim } = reservation
        return { full: held[claim % held.length] as HeldClaim, isReserved: claim >= held.length }
      }
      const kept = keepReservation(counters, reservation.id, PLACE)
      const nothing = [...places, ...others].map(() => 0)
      return { place: { [Symbol.asyncDispose]: () => kept.settle(nothing).catch(() => {}) } }
    },

    wait(held) {
      const claim = { ...waitingAt(held), amount: 1 }
      let id = reserveWaiting(claim).catch(() => undefined)
      return {
        renew() {
          id = id
            .then(async (known) =>
              known && (await counters.extend(known, WAITING_MS)) ? known : reserveWaiting(claim),
            )
            .catch(() => undefined)
        },
        [Symbol.dispose]() {
          id.then((known) => (known ? counters.settle(known, [0]) : undefined)).catch(() => {})
        },
      }
    },
  }
}

function waitingAt({ place: { namespace, window } }: HeldClaim) {
  return { namespace, counter: 'concurrent-waiting', window }
}
