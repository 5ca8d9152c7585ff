import { invalidOption } from '../options.ts'

/** Letters and digits of scripts that put spaces between words; next to one of them no name begins or ends. */
const LETTER = String.raw`[[\p{L}\p{M}\p{N}]--[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]]`

/**
 * `@` and all that may belong to a name, unless what stands before the `@` makes an e-mail address of it. The name is taken
 * whole before what follows it is looked at, so that nothing is tried twice.
 */
const MENTION = new RegExp(String.raw`@(?<!${LETTER}[+_\-]*@)(?=([\w\-]+))\1(?!${LETTER})`, 'gv')

/**
 * The agent that a text calls: the first `@name` in it that is one of `names`, as it is written there. Upper and lower case
 * count as one, names count only whole, and an e-mail address calls nobody. Linear in the length of the text, whoever
 * wrote it. Throws `options.invalid` for what is no text.
 *
 * @example
 * mentionedAgent('Ask @Writer, please', ['reader', 'writer'])   // 'writer'
 */
export function mentionedAgent(text: string, names: Iterable<string>): string | undefined {
  return mentionFinder(names)(text)
}

/** `mentionedAgent` for many texts and the same names. */
export function mentionFinder(names: Iterable<string>): (text: string) => string | undefined {
  const known = new Map<string, string>()
  for (const name of names) {
    const called = name.toLowerCase()
    if (!known.has(called)) known.set(called, name)
  }
  const longest = [...known.keys()].reduce((most, { length }) => Math.max(most, length), 0)

  return (text) => {
    if (typeof text !== 'string') throw invalidOption('text', 'give the text in which an agent may be called')
    for (const [, word = ''] of text.matchAll(MENTION)) {
      const name = nameAtStart(word, known, longest)
      if (name !== undefined) return name
    }
    return undefined
  }
}

/** The word, or what is left of it without some of the `-` and `_` that end it, which may be punctuation. */
function nameAtStart(word: string, known: ReadonlyMap<string, string>, longest: number): string | undefined {
  let end = word.length
  while (end > 0) {
    const name = end > longest ? undefined : known.get(word.slice(0, end).toLowerCase())
    if (name !== undefined) return name
    const last = word[end - 1]
    if (last !== '-' && last !== '_') return undefined
    end -= 1
  }
  return undefined
}
