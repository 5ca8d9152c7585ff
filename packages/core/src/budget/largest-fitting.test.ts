import fc from 'fast-check'
import { expect, it } from 'vitest'
import { largestFitting } from './largest-fitting.ts'

it('finds the last number that fits, in few steps', () => {
  const range = fc.record({ least: fc.nat(), length: fc.nat(), room: fc.integer({ min: -1, max: 2 ** 31 }) })
  fc.assert(
    fc.property(range, ({ least, length, room }) => {
      let asked = 0
      const found = largestFitting(least, least + length, (candidate) => {
        asked += 1
        return candidate <= room
      })
      expect(found).toBe(room < least ? undefined : Math.min(room, least + length))
      expect(asked).toBeLessThan(40)
    }),
    { numRuns: 2000 },
  )
})

it('never returns what it did not ask for, whatever the answers are', () => {
  fc.assert(
    fc.property(fc.func(fc.boolean()), fc.nat(1000), fc.nat(1000), (fits, least, length) => {
      const found = largestFitting(least, least + length, fits)
      expect(found === undefined || fits(found)).toBe(true)
    }),
  )
})

it('finds nothing in an empty range', () => {
  expect(largestFitting(5, 4, () => true)).toBeUndefined()
})
