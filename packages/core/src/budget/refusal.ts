import type { HeldClaim } from './held-claims.ts'
import { reachedInWords, retryAfter, tooSmallInWords, unpricedInWords } from './limit-words.ts'
import type { Refused } from './reserved.ts'

/** Refused where at least `amount` was asked for; waiting helps only where an empty window has room for it. */
export function refusal(claim: HeldClaim, amount: number, now: number): Refused {
  const { limit, place } = claim
  if (amount > place.limit) return { granted: false, limit, reason: tooSmallInWords(claim) }
  return { granted: false, limit, reason: reachedInWords(claim), ...retryAfter(claim, now) }
}

/** Refused because nobody could tell afterwards what was spent. */
export function unpricedRefusal(claim: HeldClaim, model: string): Refused {
  return { granted: false, limit: claim.limit, reason: unpricedInWords(claim, model) }
}
