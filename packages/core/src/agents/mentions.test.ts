import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { mentionedAgent, mentionFinder } from './mentions.ts'

const NAMES = ['writer', 'dev', 'dev-ops', 'Ann_2']

describe('a mention', () => {
  it.each([
    ['@writer', 'writer'],
    ['@writer please', 'writer'],
    ['please, @writer', 'writer'],
    ['(@writer)', 'writer'],
    ['**@writer**', 'writer'],
    ['_@writer_ may', 'writer'],
    ['- @writer: yes', 'writer'],
    ['-@writer', 'writer'],
    ['Thanks.@writer', 'writer'],
    ['@writer, @dev', 'writer'],
    ['@nobody @dev', 'dev'],
    ['@@dev', 'dev'],
    ['@WRITER!', 'writer'],
    ['@ann_2?', 'Ann_2'],
    ['@dev-ops', 'dev-ops'],
    ['@dev-ops-', 'dev-ops'],
    ['@dev- please', 'dev'],
    ['@dev', 'dev'],
    ['@writer.', 'writer'],
    ["@writer's", 'writer'],
    ['请@writer帮忙', 'writer'],
    ['😀@writer😀', 'writer'],
    ['@writer\u2028next', 'writer'],
  ])('is in %j', (text, name) => {
    expect(mentionedAgent(text, NAMES)).toBe(name)
  })

  it.each([
    'writer',
    '@',
    '@ writer',
    '@writers',
    '@writer2',
    '@writer_2',
    '@writer-2',
    '@dev-op',
    '@writeré',
    '@wri\u0301ter',
    '@writer\u0301',
    '@Kdev',
    'a@writer',
    'a.b@writer.com',
    'a+@writer',
    'a-@writer',
    'é@writer',
    '1@writer',
    '＠writer',
    '',
  ])('is not in %j', (text) => {
    expect(mentionedAgent(text, NAMES)).toBeUndefined()
  })

  it('is of the first of two names that differ in case', () => {
    expect(mentionedAgent('@ANN', ['Ann', 'ann'])).toBe('Ann')
  })

  it('is of nobody where there is nobody, and may be looked for again and again', () => {
    expect(mentionedAgent('@writer', [])).toBeUndefined()
    const find = mentionFinder(new Set(NAMES))
    expect([find('@dev'), find('nobody'), find('@dev'), find('x @writer')]).toEqual(['dev', undefined, 'dev', 'writer'])
  })

  it('is of the first name, whole, whatever stands around it', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/)
    const before = fc.constantFrom('', ' ', 'Hello ', '(', 'no@thing ', '@ ', '日本', '\n')
    const after = fc.constantFrom('', ' ', ', please', '.', '!', '日本', '\n@other', ' @writer')
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, selector: fold }), before, after, (names, left, right) => {
        const called = names[0] as string
        expect(mentionedAgent(`${left}@${called.toUpperCase()}${right}`, names.toReversed())).toBe(called)
      }),
      { numRuns: 2000 },
    )
  })

  it('is never of somebody who is not among the names, nor of less than a whole word', () => {
    const letters = fc.string({ unit: fc.constantFrom('@', 'a', 'B', '-', '_', '.', ' ', 'é', '日'), maxLength: 24 })
    const names = fc.uniqueArray(fc.stringMatching(/^[ab_-]{1,4}$/), { selector: fold })
    fc.assert(
      fc.property(letters, names, (text, known) => {
        const found = mentionedAgent(text, known)
        const whole = (name: string) =>
          text
            .split('@')
            .slice(1)
            .some(
              (rest) =>
                /^[\w-]*/
                  .exec(rest)?.[0]
                  .toLowerCase()
                  .replace(/[-_]*$/, '') === fold(name).replace(/[-_]*$/, ''),
            )
        if (found !== undefined) expect(known.includes(found) && whole(found)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it.each(['@', '-', '+', '@-', 'a@', '@a', '@a-', '@é', 'a+', '@dev_', ' @', '\u0301', '@writer2 '])(
    'is looked for in time that grows with the text alone: %j',
    (piece) => {
      const text = piece.repeat(400_000)
      const start = performance.now()
      mentionedAgent(text, NAMES)
      mentionedAgent(`@${text}`, NAMES)
      // Were it quadratic, this would take hours.
      expect(performance.now() - start).toBeLessThan(10_000)
    },
  )

  it('is not looked for in what is no text', () => {
    try {
      mentionedAgent(undefined as unknown as string, NAMES)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'options.invalid')).toBe(true)
    }
  })
})

function fold(name: string): string {
  return name.toLowerCase()
}
