import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Namespace } from '../namespace.ts'
import { compilePattern, patternHolds } from './pattern.ts'

const segment = fc.string({ unit: fc.constantFrom('a', 'b', '*', '%', ':', '2', 'A', '5'), minLength: 1, maxLength: 6 })

describe('a pattern', () => {
  it('that is a key with its stars escaped holds for that namespace and all below, and for nothing else', () => {
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((list) => list as [string, ...string[]])
    fc.assert(
      fc.property(path, path, (some, others) => {
        const [namespace, other] = [Namespace.of(...some), Namespace.of(...others)]
        const pattern = compilePattern(namespace.key.replaceAll('*', '%2A'))
        expect(patternHolds(pattern, namespace)).toBe(true)
        expect(patternHolds(pattern, namespace.child(...others))).toBe(true)
        expect(patternHolds(pattern, other)).toBe(namespace.contains(other))
      }),
      { numRuns: 5000 },
    )
  })
})

it('matches a namespace by its own pattern, and none beside it', () => {
  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '*', ':', '%', '2A'), minLength: 1, maxLength: 4 })
  const place = fc.tuple(segment, segment).map(([one, two]) => Namespace.of(one, two))
  fc.assert(
    fc.property(place, place, (one, other) => {
      expect(patternHolds(compilePattern(one.pattern), one)).toBe(true)
      expect(patternHolds(compilePattern(one.pattern), other)).toBe(one.key === other.key)
    }),
    { numRuns: 2000 },
  )
})
