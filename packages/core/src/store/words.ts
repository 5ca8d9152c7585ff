import type { JsonValue } from '../json.ts'
import type { StoredRecord } from './records.ts'

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/**
 * The words of a text as every store searches for them: in small letters, without accents, in their order. Scripts that
 * put no space between words are divided, too.
 */
export function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return Array.from(segmenter.segment(plain)).flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []))
}

/** All strings in a value, one on a line, for `wordsOf`. Names of properties are not among them. */
export function textIn(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  return Object.values(value).map(textIn).filter(Boolean).join('\n')
}

/** For stores without an index of their own: looks through all of `records`. A word counts the more, the fewer have it. */
export function rankByWords(records: readonly StoredRecord[], text: string, limit: number): readonly StoredRecord[] {
  const wanted = new Set(wordsOf(text))
  const found = records.flatMap((record) => {
    const words = new Set(wordsOf(textIn(record.value)).filter((word) => wanted.has(word)))
    return words.size === 0 ? [] : [{ record, words }]
  })
  const having = (word: string) => found.filter(({ words }) => words.has(word)).length
  const weights = new Map(Array.from(wanted, (word) => [word, Math.log(1 + records.length / (having(word) || 1))]))
  const score = (words: ReadonlySet<string>) => [...words].reduce((sum, word) => sum + (weights.get(word) ?? 0), 0)
  return found
    .map(({ record, words }) => ({ record, score: score(words) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ record }) => record)
}
