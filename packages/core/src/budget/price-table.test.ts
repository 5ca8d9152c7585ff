import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { costInMicroUsd, limitInMicroUsd } from './micro-usd.ts'
import { type ModelPrice, type PriceTable, priceTable } from './price-table.ts'
import { microUsdOf } from './priced.ts'

const usage = { inputTokens: 1000, outputTokens: 200, cacheReadTokens: 600, cacheWriteTokens: 100 }
const call = (model: string) => ({ provider: 'scripted', model, usage })

describe('a price table', () => {
  it('counts what was cached at its own price', () => {
    const prices = priceTable({ 'big-*': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } })
    expect(prices(call('big-5'))).toBeCloseTo((300 * 3 + 600 * 0.3 + 100 * 3.75 + 200 * 15) / 1_000_000, 12)
  })

  it('counts what was cached like all that was sent where it has no price for it', () => {
    expect(priceTable({ '*': { input: 3, output: 15 } })(call('any'))).toBeCloseTo(
      (1000 * 3 + 200 * 15) / 1_000_000,
      12,
    )
  })

  it('takes the first that matches, and knows nothing of others', () => {
    const prices = priceTable({ 'a-small': { input: 0, output: 1 }, 'a-*': { input: 0, output: 2 } })
    expect(prices(call('a-small'))).toBeCloseTo(200 / 1_000_000, 12)
    expect(prices(call('a-large'))).toBeCloseTo(400 / 1_000_000, 12)
    expect(prices(call('b'))).toBeUndefined()
    expect(prices(call('constructor'))).toBeUndefined()
  })

  it.each([
    ['no object', [] as unknown as PriceTable],
    ['an empty name', { '': { input: 1, output: 1 } }],
    ['a price that is none', { a: undefined as unknown as ModelPrice }],
    ['no output', { a: { input: 1 } as ModelPrice }],
    ['a price below 0', { a: { input: 1, output: -1 } }],
    ['text', { a: { input: '1' as unknown as number, output: 1 } }],
    ['a price without end', { a: { input: 1, output: 1, cacheRead: Number.POSITIVE_INFINITY } }],
    ['a misspelt price', { a: { input: 1, output: 1, cacheReads: 1 } as ModelPrice }],
  ])('refuses %s', (_, table) => {
    expect(() => priceTable(table)).toThrow(expect.toSatisfy((error) => isOrraError(error, 'options.invalid')))
  })
})

describe('money in whole millionths', () => {
  it('is what the decimal says, where it says one', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (micro) => {
        expect(costInMicroUsd(micro / 1_000_000)).toBe(micro)
        expect(limitInMicroUsd(micro / 1_000_000)).toBe(micro)
      }),
    )
  })

  it('has costs rounded up and limits rounded down', () => {
    expect([costInMicroUsd(1e-9), costInMicroUsd(0), limitInMicroUsd(1.9e-6)]).toEqual([1, 0, 1])
  })

  it('is unknown where prices throw, or give no amount', () => {
    const bad = [
      () => Number.NaN,
      () => -1,
      () => Number.POSITIVE_INFINITY,
      () => {
        throw new Error('down')
      },
      undefined,
    ]
    for (const prices of bad) expect(microUsdOf(prices, call('a'))).toBeUndefined()
    expect(microUsdOf(() => 0, call('a'))).toBe(0)
  })
})
