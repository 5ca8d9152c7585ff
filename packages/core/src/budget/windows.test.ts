import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { windowAt } from './windows.ts'

const time = fc.integer({ min: 0, max: Date.UTC(2400, 0) })
const unit = fc.constantFrom('Minute', 'Hour', 'Day', 'Month' as const)

describe('a window of the calendar', () => {
  it('is named like the time in UTC', () => {
    const at = Date.UTC(2026, 10, 23, 4, 26, 59, 999)
    expect(windowAt('Minute', at).name).toBe('2026-11-23T04:26')
    expect(windowAt('Hour', at).name).toBe('2026-11-23T04')
    expect(windowAt('Day', at).name).toBe('2026-11-23')
    expect(windowAt('Month', at).name).toBe('2026-11')
  })

  it('ends where the calendar says', () => {
    expect(windowAt('Month', Date.UTC(2024, 1, 29)).endsAt).toBe(Date.UTC(2024, 2, 1))
    expect(windowAt('Month', Date.UTC(2026, 11, 31, 23, 59)).endsAt).toBe(Date.UTC(2027, 0, 1))
    expect(windowAt('Minute', Date.UTC(2026, 0, 1)).endsAt).toBe(Date.UTC(2026, 0, 1, 0, 1))
  })

  it('holds all moments up to its end, and the next one has another name', () => {
    fc.assert(
      fc.property(unit, time, fc.double({ min: 0, max: 1, noNaN: true }), (unit, at, part) => {
        const { name, endsAt } = windowAt(unit, at)
        expect(endsAt).toBeGreaterThan(at)
        const later = at + Math.floor((endsAt - 1 - at) * part)
        expect(windowAt(unit, later)).toEqual({ name, endsAt })
        expect(windowAt(unit, endsAt - 1)).toEqual({ name, endsAt })
        const next = windowAt(unit, endsAt).name
        expect(next > name).toBe(true)
        expect(next).toHaveLength(name.length)
      }),
      { numRuns: 2000 },
    )
  })
})
