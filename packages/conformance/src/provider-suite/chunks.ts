/** Chunks of so many bytes each, in the middle of characters where it falls so. */
export function* chunksOf(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length)
}

/** Chunks of 1 to 60 bytes, other ones for every seed. */
export function* raggedChunks(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const next = pseudoRandom(seed)
  for (let from = 0; from < bytes.length; ) {
    const length = 1 + (next() % 60)
    yield bytes.subarray(from, from + length)
    from += length
  }
}

/** Whole numbers that look random and are the same for a seed. */
export function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
