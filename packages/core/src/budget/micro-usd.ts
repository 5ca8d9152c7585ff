/** What binary fractions are off by; without it 0.07 dollars would be 70001 micro-dollars. */
const ROUNDING = 1e-12

/** A cost in millionths of a dollar, rounded up: nothing that costs is free. Not above what can be counted. */
export function costInMicroUsd(usd: number): number {
  return Math.min(Math.ceil(usd * 1_000_000 * (1 - ROUNDING)), Number.MAX_SAFE_INTEGER)
}

/** A limit in millionths of a dollar, rounded down. */
export function limitInMicroUsd(usd: number): number {
  return Math.floor(usd * 1_000_000 * (1 + ROUNDING))
}
