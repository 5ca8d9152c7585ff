/** Numbers that look random and are the same again for the same seed. */
export interface Random {
  /** From 0 up to, but not, 1. */
  next(): number
  /** From `least` to `most`. */
  between(least: number, most: number): number
  /** Whether something happens that happens in so many of 1 cases. */
  chance(share: number): boolean
  pick<T>(items: readonly T[]): T | undefined
}

/** Whoever has a `role` of its own draws numbers of its own, whatever the others draw. */
export function seededRandom(seed: number, role: string): Random {
  let state = seed
  for (const character of role) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x9e3779b1)

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    between: (least, most) => least + next() * (most - least),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)],
  }
}
