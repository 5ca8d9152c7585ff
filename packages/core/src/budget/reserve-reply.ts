import { addCounts, type Usage } from '../provider.ts'
import type { Counters } from '../store/counters.ts'
import type { HeldClaim } from './held-claims.ts'
import { largestFitting } from './largest-fitting.ts'
import { dearerInWords, unpricedInWords } from './limit-words.ts'
import { answerInMicroUsd, microUsdOf } from './priced.ts'
import type { Prices } from './prices.ts'
import { refusal, unpricedRefusal } from './refusal.ts'
import type { Answering, PlannedCall, Refused } from './reserved.ts'

/** Where only a shorter reply would fit, the call is not worth making. */
const LEAST_REPLY_TOKENS = 256

/** How often it is asked again because others spent in between; each limit may shorten the reply once besides. */
const MORE_TRIES = 3

interface ReplyToReserve {
  readonly counters: Counters
  readonly prices: Prices | undefined
  readonly held: readonly HeldClaim[]
  readonly call: PlannedCall
  readonly now: number
  readonly ttlMs: number
  readonly signal: AbortSignal
}

interface ReservedReply {
  readonly granted: true
  readonly id: string
  readonly maxOutputTokens: number
  /** By claim. */
  readonly planned: readonly number[]
  /** What was really used, by claim, of the model that answered; what has no price is as it was planned. */
  amountsOf(used: Usage, answered: Answering): readonly number[]
  /** Why another model may not be asked the same, for people: a whole reply of it is not within what is planned. */
  against(answering: Answering): string | undefined
}

/** Reserves a model call, and where not all of it is granted, one with a shorter reply. */
export async function reserveReply(asked: ReplyToReserve): Promise<ReservedReply | Refused> {
  const { counters, held, prices, now, ttlMs, signal } = asked
  const call = { ...asked.call, inputTokens: Math.ceil(asked.call.inputTokens) }
  const wanted = Math.floor(call.maxOutputTokens)
  const least = Math.min(wanted, LEAST_REPLY_TOKENS)
  const amountOf = (claim: HeldClaim, outputTokens: number) => plannedAmount(claim, call, outputTokens, prices)

  for (const claim of held) {
    const amount = amountOf(claim, least)
    if (amount === undefined || amountOf(claim, wanted) === undefined) return unpricedRefusal(claim, call.model)
    if (amount > claim.place.limit) return refusal(claim, amount, now)
  }

  let maxOutputTokens = wanted
  for (let triesLeft = held.length + MORE_TRIES; ; triesLeft -= 1) {
    const planned = held.map((claim) => amountOf(claim, maxOutputTokens) ?? Number.MAX_SAFE_INTEGER)
    const claims = held.map(({ place }, index) => ({ ...place, amount: planned[index] as number }))
    const reservation = await counters.reserve(claims, { ttlMs, signal })
    if (reservation.granted) {
      const amountsOf = (used: Usage, answered: Answering) =>
        held.map((claim, index) => usedAmount(claim, call, used, answered, prices) ?? (planned[index] as number))
      const against = ({ model, provider = call.provider }: Answering) => {
        const other = { ...call, model, provider }
        for (const [index, claim] of held.entries()) {
          const amount = plannedAmount(claim, other, maxOutputTokens, prices)
          if (amount === undefined) return unpricedInWords(claim, model)
          if (amount > (planned[index] as number)) return dearerInWords(claim, model, call.model)
        }
        return undefined
      }
      return { granted: true, id: reservation.id, maxOutputTokens, planned, amountsOf, against }
    }
    const full = held[reservation.claim] as HeldClaim
    const room = full.place.limit - reservation.taken
    const fits = (tokens: number) => (amountOf(full, tokens) ?? Number.POSITIVE_INFINITY) <= room
    const shorter = largestFitting(least, maxOutputTokens - 1, fits)
    if (shorter === undefined || triesLeft === 0) return refusal(full, 0, now)
    maxOutputTokens = shorter
  }
}

function plannedAmount(
  { counted }: HeldClaim,
  { provider, model, inputTokens }: PlannedCall,
  outputTokens: number,
  prices: Prices | undefined,
): number | undefined {
  if (counted === 'tokens') return inputTokens + outputTokens
  // Nobody knows beforehand what a provider will write to its cache, which often costs more than the input alone.
  const costs = [0, inputTokens].map((cacheWriteTokens) => {
    const usage = { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens }
    return microUsdOf(prices, { provider, model, usage })
  })
  return costs.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.max(a, b)))
}

function usedAmount(
  { counted }: HeldClaim,
  { provider, model: asked }: PlannedCall,
  usage: Usage,
  { model, provider: answering }: Answering,
  prices: Prices | undefined,
): number | undefined {
  if (counted === 'tokens') return Math.max(0, Math.ceil(addCounts(usage.inputTokens, usage.outputTokens)))
  return answerInMicroUsd(prices, provider, { provider: answering, model, asked, usage })
}
