/** Amounts that come back evenly as time goes by. */
export interface RefillBucket {
  /** How long until this amount may be taken, in milliseconds; 0 when it may be now. */
  waitMs(amount: number): number
  /** Takes it, even where that leaves less than nothing. */
  take(amount: number): void
  /** Gives back what was taken and not used; a negative amount takes what was used besides. */
  giveBack(amount: number): void
}

/**
 * How long a bucket takes to fill, in milliseconds: what may go at once after a pause. So in no minute goes more than a
 * sixth above the quota, and besides what a last entry is larger than the bucket.
 */
const BURST_MS = 10_000

/** A bucket that is full at first. What is larger than all of it may be taken once it is full. */
export function refillBucket(perMinute: number, leastCapacity: number, now: () => number): RefillBucket {
  const perMs = perMinute / 60_000
  const capacity = Math.max(perMs * BURST_MS, leastCapacity)
  let level = capacity
  let filledAt = now()

  function fill(): void {
    const at = now()
    // A clock that was set back gives nothing and takes nothing.
    level = Math.min(capacity, level + Math.max(0, at - filledAt) * perMs)
    filledAt = at
  }

  return {
    waitMs(amount) {
      fill()
      const missing = Math.min(amount, capacity) - level
      return missing > 0 ? Math.ceil(missing / perMs) : 0
    },
    take(amount) {
      fill()
      level -= amount
    },
    giveBack(amount) {
      fill()
      level = Math.min(capacity, level + amount)
    },
  }
}
