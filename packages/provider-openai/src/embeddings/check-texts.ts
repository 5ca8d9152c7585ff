import { invalidOption } from '@orra/core'

/** The texts as they can be sent. Throws `options.invalid` for the first one that is empty, no text or surely too long. */
export function checkTexts(texts: readonly string[], maxTokens: number): readonly string[] {
  if (!Array.isArray(texts)) throw invalidOption('texts', 'give a list of texts')
  return Array.from(texts, (text: unknown, index) => {
    const option = `texts[${index}]`
    if (typeof text !== 'string') throw invalidOption(option, 'it is no text')
    if (text === '') throw invalidOption(option, 'it is empty, and nothing has no vector')
    if (hasMoreTokens(text, maxTokens))
      throw invalidOption(option, `it is longer than ${maxTokens} tokens; send parts of it`)
    // Half of a surrogate pair is no character, and makes the API refuse the whole request.
    return text.toWellFormed()
  })
}

/** Whether it surely has: no token reaches over the end of a word, or holds more than three digits. */
function hasMoreTokens(text: string, count: number): boolean {
  if (text.length <= count) return false
  let words = 0
  for (const _ of text.matchAll(/\p{L}+|\p{N}{1,3}/gu)) if (++words > count) return true
  return false
}
