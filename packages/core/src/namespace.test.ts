import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from './errors.ts'
import { MAX_KEY_LENGTH, Namespace } from './namespace.ts'

/** Text that looks for trouble: separators, escapes, escapes of escapes, dots, wide characters. */
const segment = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(':', '%', '%3A', '%25', '3', 'A', 'a', '.', '/', '*'),
      minLength: 1,
      maxLength: 8,
    }),
  )
  .filter((text) => text.isWellFormed() && !text.includes('\0'))
const segments = fc.array(segment, { minLength: 1, maxLength: 6 }).map((list) => list as [string, ...string[]])

const invalid = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return isOrraError(error, 'namespace.invalid')
  }
  return false
}

describe('a namespace', () => {
  it('writes its segments into a key that parse reads back', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const namespace = Namespace.of(...list)
        expect(Namespace.parse(namespace.key).segments).toEqual(list)
        expect(Namespace.parse(namespace.key).key).toBe(namespace.key)
      }),
      { numRuns: 2000 },
    )
  })

  it('has a key of its own', () => {
    fc.assert(
      fc.property(segments, segments, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(Namespace.of(...one).key === Namespace.of(...other).key).toBe(same)
      }),
      { numRuns: 2000 },
    )
    expect(Namespace.of('a:b').key).not.toBe(Namespace.of('a', 'b').key)
    expect(Namespace.of('a%3Ab').key).not.toBe(Namespace.of('a:b').key)
    expect(Namespace.of('bob@a.com').key).not.toBe(Namespace.of('bob@a.org').key)
  })

  it('is read from its one spelling only', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(':', '%', '3', 'A', 'a', '2', '5', 'x'), maxLength: 10 }),
        (text) => {
          if (!invalid(() => Namespace.parse(text))) expect(Namespace.parse(text).key).toBe(text)
        },
      ),
      { numRuns: 2000 },
    )
    for (const key of ['', ':', 'a:', ':a', 'a::b', '%', 'a%3ab', '%41', 'a%']) {
      expect(
        invalid(() => Namespace.parse(key)),
        key,
      ).toBe(true)
    }
  })

  it('contains itself and what lies below, and nothing else', () => {
    fc.assert(
      fc.property(segments, segments, (one, other) => {
        const below = other.length >= one.length && one.every((text, index) => text === other[index])
        expect(Namespace.of(...one).contains(Namespace.of(...other))).toBe(below)
        expect(Namespace.of(...one).contains(Namespace.of(...one, ...other))).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(Namespace.parse('a:b').contains(Namespace.parse('a:bc'))).toBe(false)
  })

  it('knows its way up', () => {
    const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
    expect(bob.ancestors().map(String)).toEqual(['tenant', 'tenant:acme', 'tenant:acme:user', 'tenant:acme:user:bob'])
    expect(bob.parent?.key).toBe('tenant:acme:user')
    expect(Namespace.of('tenant').parent).toBeUndefined()
    expect(bob.child('draft', '1:2').key).toBe('tenant:acme:user:bob:draft:1%3A2')
    expect(JSON.stringify({ bob })).toBe('{"bob":"tenant:acme:user:bob"}')
  })

  it('refuses what could be mistaken or cannot be stored', () => {
    for (const list of [[], [''], ['a', ''], ['\0'], ['\ud800'], [42], [undefined], ['x'.repeat(MAX_KEY_LENGTH + 1)]]) {
      expect(
        invalid(() => Namespace.of(...(list as [string]))),
        JSON.stringify(list),
      ).toBe(true)
    }
    const bob = Namespace.of('bob')
    expect(() => Object.assign(bob, { key: 'alice' })).toThrow(TypeError)
    expect(() => (bob.segments as string[]).push('draft')).toThrow(TypeError)
  })
})
