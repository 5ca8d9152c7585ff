import { converse, type Totals } from './anchoring.ts'
import type { Text } from './corpus.ts'
import { type Count, countOf, errorOf, sumOf } from './count.ts'
import { windowsOf } from './windows.ts'

const WINDOW_TOKENS = 200
/** The costs were fitted to every other piece of this size, from the first; the rest was held out until they were rounded. */
const FITTED_TOKENS = 100
/** The size of a message in the simulated conversations. */
const MESSAGE_TOKENS = 100

/** How good the estimate of one text is; all errors are shares. */
export interface TextReport {
  readonly name: string
  readonly whole: Count
  /** Of windows of about 200 tokens, without their signs. */
  readonly windows: readonly number[]
  /** Of the pieces that were held out, taken together. */
  readonly heldOut: Count
  /** Of the totals of a conversation that consists of the text. */
  readonly totals: Totals
}

export function reportOn({ name, text }: Text): TextReport {
  return {
    name,
    whole: countOf(text),
    windows: windowsOf(text, WINDOW_TOKENS).map((window) => Math.abs(errorOf(countOf(window)))),
    heldOut: sumOf(heldOutOf(text)),
    totals: converse(windowsOf(text, MESSAGE_TOKENS)),
  }
}

/** A conversation in which all the texts take turns, message by message: its kind changes with each. */
export function reportOnMixture(texts: readonly Text[]): Totals {
  const pieces = texts.map(({ text }) => windowsOf(text, MESSAGE_TOKENS))
  const rounds = Math.max(...pieces.map(({ length }) => length))
  return converse(Array.from({ length: rounds }, (_, round) => pieces.flatMap((own) => own[round] ?? [])).flat())
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function heldOutOf(text: string): readonly Count[] {
  return windowsOf(text, FITTED_TOKENS)
    .filter((_, index) => index % 2 === 1)
    .map(countOf)
}
