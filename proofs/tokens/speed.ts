import { estimateTextTokens } from '../../packages/core/src/context/estimate-text.ts'
import type { Text } from './corpus.ts'

const COPIES = 20
const REPEATS = 9

/** Megabytes of UTF-8 in a second, the best of some repeats: of the estimate and of merely counting the bytes. */
export function measureSpeed(texts: readonly Text[]): { readonly estimate: number; readonly byteLength: number } {
  const all = texts
    .map(({ text }) => text)
    .join('\n')
    .repeat(COPIES)
  return { estimate: speedOf(estimateTextTokens, all), byteLength: speedOf(Buffer.byteLength, all) }
}

function speedOf(work: (text: string) => number, text: string): number {
  let best = Number.POSITIVE_INFINITY
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const startedAt = performance.now()
    work(text)
    best = Math.min(best, performance.now() - startedAt)
  }
  return Buffer.byteLength(text) / 1e6 / (best / 1000)
}
