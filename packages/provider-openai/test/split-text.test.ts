import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitText } from '../src/speech/split-text.ts'

/** Text with sentences, characters of several code points, and neither. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        'Hello there. ',
        'Why? ',
        '\n\n',
        '你好。',
        '👩‍👩‍👧‍👦',
        'e\u0301',
        'क्षि',
        ' ',
        'a'.repeat(30),
        '\u0301'.repeat(40),
      ),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join('').toWellFormed())

describe('a text that is cut', () => {
  it('is all there, in parts that fit, and no character is cut unless it is longer than a part', () => {
    const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 60 }), (text, maxLength) => {
        const parts = splitText(text, maxLength)
        expect(parts.join('')).toBe(text)
        for (const part of parts) {
          expect(part.length).toBeGreaterThan(0)
          expect(part.length).toBeLessThanOrEqual(maxLength)
          expect(part.isWellFormed()).toBe(true)
        }
        const ends = new Set<number>()
        parts.reduce((end, part) => ends.add(end + part.length) && end + part.length, 0)
        for (const { index, segment } of characters.segment(text)) {
          if (segment.length > maxLength) continue
          for (let inside = index + 1; inside < index + segment.length; inside++) expect(ends).not.toContain(inside)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is cut where sentences end', () => {
    expect(splitText('One is here. Two is here! Is three? Four', 26)).toEqual([
      'One is here. Two is here! ',
      'Is three? Four',
    ])
    expect(splitText('你好。再见！你好。', 4)).toEqual(['你好。', '再见！', '你好。'])
  })

  it('is cut between words where a sentence is too long, and goes on with the next sentence', () => {
    expect(splitText('one two three four. Five.', 10)).toEqual(['one two ', 'three ', 'four. ', 'Five.'])
  })

  it('stays whole when it fits', () => {
    expect(splitText('One. Two.', 9)).toEqual(['One. Two.'])
    expect(splitText('', 9)).toEqual([])
  })

  it('of a megabyte takes no minute', () => {
    const parts = splitText('word '.repeat(200_000), 4096)
    expect(parts.length).toBeLessThan(260)
  })
})
