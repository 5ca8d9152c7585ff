/** What one request was estimated at, and what it was, in tokens. */
export interface Measured {
  readonly estimatedTokens: number
  readonly realTokens: number
}

/** What something is likely to be in truth that is estimated at so many tokens. */
export type Calibrate = (estimatedTokens: number) => number

/** How far real costs are believed to be from estimates: so many times, and besides what a provider adds to any request. */
const MOST_OFF = 4
const ADDED_TOKENS = 4000
/** From so many tokens on the whole says something of what its parts cost; a small request is mostly what a provider adds. */
const TELLING_TOKENS = 2000
/** Within these bounds, for a text is never as far off as a single word may be. */
const PROPORTION = { least: 0.75, most: 1.5 }
/** Nor is an estimate ever taken for more than this many times the truth. */
const MOST_ABOVE = 2

/** By the last request that was measured: what that was, and what has come since or gone, in proportion. */
export function calibrate(last: Measured | undefined): Calibrate {
  if (!last || !isBelieved(last)) return (estimatedTokens) => estimatedTokens
  const { estimatedTokens: then, realTokens } = last
  const proportion = proportionOf(last)
  return (now) => Math.ceil(Math.max(now / MOST_ABOVE, realTokens + (now - then) * proportion))
}

function isBelieved({ estimatedTokens, realTokens }: Measured): boolean {
  return realTokens >= estimatedTokens / MOST_OFF && realTokens <= estimatedTokens * MOST_OFF + ADDED_TOKENS
}

function proportionOf({ estimatedTokens, realTokens }: Measured): number {
  if (estimatedTokens < TELLING_TOKENS) return 1
  return Math.min(PROPORTION.most, Math.max(PROPORTION.least, realTokens / estimatedTokens))
}
