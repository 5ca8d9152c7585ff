import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globTest } from './glob.ts'

describe('a glob', () => {
  it('matches as the textbook says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
    const globs = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 })
    fc.assert(
      fc.property(globs, letters, (pattern, name) => {
        expect(globTest(pattern)(name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
      }),
      { numRuns: 5000 },
    )
  })
})
