import { createRequire } from 'node:module'
import type { TokenCounter } from '@orra/core'
import { bareModel } from './model-family.ts'

type Encoding = Pick<typeof import('gpt-tokenizer/encoding/o200k_base'), 'countTokens'>

/** Counting is synchronous and the tables are megabytes, so they are loaded when the first text is counted. */
const load = createRequire(import.meta.url)

/** What stands for the end of a text, or for who speaks, is plain text where somebody writes it. */
const PLAIN = { disallowedSpecial: new Set<string>() }
/** Of one long word the time to count it grows with its square, so longer texts are counted in pieces. */
const MOST_PIECE = 4000

/**
 * Counts the tokens of a text as OpenAI's models do. A model whose name is not known is taken for one of those since GPT-4o.
 *
 * @example
 * const counter = openaiTokens()
 */
export function openaiTokens(): TokenCounter {
  return {
    countText(text, model) {
      const { countTokens } = encodingOf(model)
      const whole = text.toWellFormed()
      let tokens = 0
      let at = 0
      while (at < whole.length) {
        const end = pieceEnd(whole, at)
        tokens += countTokens(whole.slice(at, end), PLAIN)
        at = end
      }
      return tokens
    },
  }
}

/** Between two words, where the tables part a text anyhow; in a longer word anywhere, which may cost a token more. */
function pieceEnd(text: string, at: number): number {
  const most = at + MOST_PIECE
  if (most >= text.length) return text.length
  for (let end = text.lastIndexOf(' ', most); end > at; end = text.lastIndexOf(' ', end - 1)) {
    if (/^\S \p{L}/u.test(text.slice(end - 1, end + 3))) return end
  }
  // Not within a character.
  return /[\udc00-\udfff]/.test(text.charAt(most)) ? most - 1 : most
}

function encodingOf(model: string): Encoding {
  const isOld = /^gpt-(?:3|4(?![o.\d]))/.test(bareModel(model))
  return isOld ? load('gpt-tokenizer/encoding/cl100k_base') : load('gpt-tokenizer/encoding/o200k_base')
}
