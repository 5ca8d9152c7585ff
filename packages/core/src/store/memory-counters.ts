import { randomUUID } from 'node:crypto'
import { checkAmount, checkClaims } from './checks.ts'
import { type Claim, type Counter, type Counters, refusedClaim } from './counters.ts'
import { pageOf } from './page.ts'
import { inSubtree } from './subtree.ts'

interface Reserved {
  /** Without those whose namespace was erased since. */
  claims: readonly (Claim | undefined)[]
  expiresAt: number
}

interface Kept extends Omit<Counter, 'used' | 'reserved'> {
  used: number
}

/** How long a reservation that has run out can still be settled. */
const SETTLE_LATE_MS = 24 * 60 * 60 * 1000

export function memoryCounters(now: () => number): Counters {
  const counters = new Map<string, Kept>()
  const reservations = new Map<string, Reserved>()

  const reservedOn = (place: string): number => {
    let sum = 0
    for (const { claims, expiresAt } of reservations.values()) {
      if (expiresAt <= now()) continue
      for (const claim of claims) if (claim && claimPlace(claim) === place) sum += claim.amount
    }
    return sum
  }
  const takenOf = (place: string) => (counters.get(place)?.used ?? 0) + reservedOn(place)
  const open = (claim: Claim): Kept => {
    const { namespace, counter, window, endsAt } = claim
    const place = claimPlace(claim)
    const ends = endsAt === undefined ? {} : { endsAt }
    const kept = counters.get(place) ?? { namespace: namespace.key, counter, window, used: 0, ...ends }
    counters.set(place, kept)
    return kept
  }
  const forgetOld = () => {
    for (const [place, { endsAt }] of counters) if (endsAt !== undefined && endsAt <= now()) counters.delete(place)
    for (const [id, { expiresAt }] of reservations) {
      if (expiresAt + SETTLE_LATE_MS <= now()) reservations.delete(id)
    }
  }

  return {
    async reserve(claims, { ttlMs, signal }) {
      signal?.throwIfAborted()
      checkClaims(claims)
      checkAmount(ttlMs)
      forgetOld()
      const refused = refusedClaim(
        claims,
        claims.map((claim) => takenOf(claimPlace(claim))),
      )
      if (refused) return refused
      for (const claim of claims) open(claim)
      const id = randomUUID()
      reservations.set(id, { claims: claims.map((claim) => ({ ...claim })), expiresAt: now() + ttlMs })
      return { granted: true, id }
    },

    async extend(id, ttlMs, { signal } = {}) {
      signal?.throwIfAborted()
      checkAmount(ttlMs)
      const reservation = reservations.get(id)
      if (!reservation || reservation.expiresAt <= now()) return false
      reservation.expiresAt = now() + ttlMs
      return true
    },

    async settle(id, amounts, { signal } = {}) {
      signal?.throwIfAborted()
      amounts.forEach(checkAmount)
      forgetOld()
      const reservation = reservations.get(id)
      if (!reservation) return false
      reservations.delete(id)
      for (const [index, claim] of reservation.claims.entries()) {
        if (claim && (claim.endsAt === undefined || claim.endsAt > now())) open(claim).used += amounts[index] ?? 0
      }
      return true
    },

    async list({ namespace, within, after = '', limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      forgetOld()
      const found = [...counters]
        .filter(([place, { namespace: key }]) => {
          return place > after && (!namespace || key === namespace.key) && inSubtree(key, within)
        })
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([place, counter]) => ({ ...counter, reserved: reservedOn(place) }))
      return pageOf(found, limit, ({ namespace, counter, window }) => [namespace, counter, window].join('\0'))
    },

    async erase(within, { signal } = {}) {
      signal?.throwIfAborted()
      forgetOld()
      const gone = [...counters].filter(([, { namespace }]) => inSubtree(namespace, within))
      for (const [place] of gone) counters.delete(place)
      for (const reservation of reservations.values()) {
        reservation.claims = reservation.claims.map((claim) =>
          claim && inSubtree(claim.namespace.key, within) ? undefined : claim,
        )
      }
      return gone.length
    },
  }
}

function claimPlace({ namespace, counter, window }: Claim): string {
  return [namespace.key, counter, window].join('\0')
}
