import { describe, expect, it } from 'vitest'
import { fileNameOf, textOfFileName } from './file-name.ts'

/** Characters that file systems fold, forbid, drop or read as something else. */
const TRICKY = [
  'a',
  'A',
  'é',
  'e\u0301',
  'ı',
  'K',
  '.',
  ' ',
  '%',
  '=',
  '~',
  '@',
  '/',
  '\\',
  ':',
  '0',
  '41',
  '日',
  '😀',
  '\n',
]
const NAMES = ['con', 'CON', 'nul', 'com1', 'lpt9', 'aux', 'prn', '.', '..', '...', '~', '-', '@session', 'log.jsonl']

/** All texts of one to three of the tricky ones, and long ones that differ in one place only. */
function texts(): readonly string[] {
  const pairs = TRICKY.flatMap((first) => TRICKY.map((second) => first + second))
  const triples = pairs.flatMap((pair) => TRICKY.map((third) => pair + third))
  const long = TRICKY.flatMap((odd) =>
    [0, 60, 118, 119, 300].map((at) => `${'a'.repeat(at)}${odd}${'b'.repeat(300 - at)}`),
  )
  return [
    ...new Set([
      ...TRICKY,
      ...pairs,
      ...triples,
      ...NAMES,
      ...long,
      'x'.repeat(120),
      'x'.repeat(121),
      '日'.repeat(1024),
    ]),
  ]
}

/** What the most careless file system makes of a name. */
const folded = (name: string) =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase()
    .replace(/[. ]+$/, '')

describe('the file name of a text', () => {
  it('is its own, even where case, accents and dots at the end are folded', () => {
    const all = texts()
    expect(new Set(all.map((text) => folded(fileNameOf(text)))).size).toBe(all.length)
  })

  it('is one that every file system takes', () => {
    for (const text of texts()) {
      const name = fileNameOf(text)
      expect(name).toMatch(/^[a-z0-9_%=~-]{1,120}$/)
      expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)$/)
    }
  })

  it('says what the text was, unless that is too long', () => {
    for (const text of texts()) {
      const name = fileNameOf(text)
      expect(textOfFileName(name)).toBe(/~[0-9a-f]{32}$/.test(name) ? undefined : text)
    }
    for (const foreign of ['.DS_Store', 'lost+found', 'Thumbs.db', 'con', '%4', '%00', '=d800', 'A', '']) {
      expect(textOfFileName(foreign)).toBeUndefined()
    }
  })
})
