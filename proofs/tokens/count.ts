import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { estimateTextTokens } from '../../packages/core/src/context/estimate-text.ts'

export interface Count {
  readonly real: number
  readonly estimated: number
}

/** How many tokens a text has, and how many the estimate gives it. */
export function countOf(text: string): Count {
  return { real: realTokens(text), estimated: estimateTextTokens(text) }
}

/** How many tokens o200k_base makes of a text, whose special words it takes for plain ones. */
export function realTokens(text: string): number {
  return encode(text, { disallowedSpecial: new Set() }).length
}

/** By what share the estimate is wrong: 0.1 for a tenth too many. */
export function errorOf({ real, estimated }: Count): number {
  return estimated / real - 1
}

/** Of many counts as if they were one. */
export function sumOf(counts: readonly Count[]): Count {
  return counts.reduce((sum, count) => ({
    real: sum.real + count.real,
    estimated: sum.estimated + count.estimated,
  }))
}
