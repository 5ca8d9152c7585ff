import { isOrraError, type Usage } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GenaiPricesOptions, genaiPrices } from './genai-prices.ts'

const MILLION = 1_000_000
const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
const SONNET = { provider: 'anthropic', model: 'claude-sonnet-4-20250514' }
/** Prices of that model have been the same since it came out; the tables may know more later. */
const on = (day: string): GenaiPricesOptions => ({ now: () => Date.parse(`${day}T12:00:00Z`) })

const refused = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return isOrraError(error, 'options.invalid') ? error.details.option : error
  }
  return undefined
}

describe('prices of models', () => {
  it('are those of the tables', () => {
    const prices = genaiPrices(on('2025-09-01'))
    const price = (usage: Partial<Usage>) => prices({ ...SONNET, usage: { ...NOTHING, ...usage } })
    expect(price({ inputTokens: MILLION })).toBeCloseTo(3, 9)
    expect(price({ outputTokens: MILLION })).toBeCloseTo(15, 9)
    expect(price(NOTHING)).toBe(0)
  })

  it('count the cached parts as parts of the input, each at its own price', () => {
    const prices = genaiPrices(on('2025-09-01'))
    const price = (usage: Partial<Usage>) => prices({ ...SONNET, usage: { ...NOTHING, ...usage } }) ?? Number.NaN
    const whole = price({ inputTokens: MILLION })
    expect(price({ inputTokens: MILLION, cacheReadTokens: MILLION }) / whole).toBeCloseTo(0.1, 9)
    expect(price({ inputTokens: MILLION, cacheWriteTokens: MILLION }) / whole).toBeCloseTo(1.25, 9)
    expect(price({ inputTokens: MILLION, cacheReadTokens: MILLION / 2 }) / whole).toBeCloseTo(0.55, 9)
  })

  it('hold for the day on which they are asked for', () => {
    const usage = { ...NOTHING, inputTokens: MILLION, outputTokens: MILLION }
    const priceOn = (day: string) => genaiPrices(on(day))({ provider: 'openai', model: 'o3', usage })
    expect(priceOn('2025-06-01')).toBeCloseTo(50, 9)
    expect(priceOn('2025-07-01')).toBeCloseTo(10, 9)
  })

  it('are found for a model of many a provider, and under any spelling that the provider takes', () => {
    const prices = genaiPrices()
    const usage = { ...NOTHING, inputTokens: 1000, outputTokens: 1000 }
    for (const [provider, model] of [
      ['openai', 'gpt-4o'],
      ['openai', 'gpt-4o-2024-08-06'],
      ['google', 'gemini-2.5-pro'],
      ['mistral', 'mistral-large-latest'],
      ['groq', 'llama-3.3-70b-versatile'],
      ['anthropic', 'Claude-Sonnet-4-0'],
      ['litellm', 'openai/gpt-4o'],
    ] as const) {
      expect(prices({ provider, model, usage }), `${provider} ${model}`).toBeGreaterThan(0)
    }
  })

  it('are the same whether a model is asked for the first time or again', () => {
    const prices = genaiPrices(on('2025-09-01'))
    const call = { ...SONNET, usage: { ...NOTHING, inputTokens: 10, outputTokens: 10 } }
    const first = prices(call)
    // More models than are kept at hand.
    for (let other = 0; other < 1500; other++) prices({ ...call, model: `model-${other}` })
    expect(prices(call)).toBe(first)
    expect(prices({ ...call, model: 'model-7' })).toBeUndefined()
  })

  it.each([
    ['a model that nobody knows', { provider: 'anthropic', model: 'no-such-model' }],
    ['a model of another provider', { provider: 'anthropic', model: 'gpt-4o' }],
    ['a provider that nobody knows', { provider: 'scripted', model: 'gpt-4o' }],
    ['a provider without a name', { provider: '', model: 'gpt-4o' }],
    ['a model without a name', { provider: 'openai', model: '' }],
    ['a model that is sold by the page', { provider: 'mistral', model: 'mistral-ocr-latest' }],
  ])('are not there for %s', (_, model) => {
    expect(genaiPrices()({ ...model, usage: { ...NOTHING, inputTokens: 100 } })).toBeUndefined()
  })

  it('never throw, and are never below 0, whatever the names and counts', () => {
    const prices = genaiPrices()
    const name = fc.oneof(fc.string(), fc.constantFrom('anthropic', 'openai', 'litellm', 'gpt-4o', '__proto__', 'a/b'))
    const count = fc.oneof(fc.nat(), fc.double())
    const usage = fc.record({
      inputTokens: count,
      outputTokens: count,
      cacheReadTokens: count,
      cacheWriteTokens: count,
    })
    fc.assert(
      fc.property(name, name, usage, (provider, model, used) => {
        const price = prices({ provider, model, usage: used })
        expect(price === undefined || price >= 0).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('take more cached input than there is input for all the input there is', () => {
    const prices = genaiPrices(on('2025-09-01'))
    const whole = { ...NOTHING, inputTokens: MILLION, cacheReadTokens: MILLION }
    expect(prices({ ...SONNET, usage: { ...whole, inputTokens: 1 } })).toBe(prices({ ...SONNET, usage: whole }))
  })
})

describe('options of prices', () => {
  it('let prices of your own come first, and the tables where they have none', () => {
    const prices = genaiPrices({
      ...on('2025-09-01'),
      overrides: ({ model, usage }) => (model === 'our-own' ? usage.outputTokens : undefined),
    })
    const usage = { ...NOTHING, outputTokens: MILLION }
    expect(prices({ provider: 'anthropic', model: 'our-own', usage })).toBe(MILLION)
    expect(prices({ ...SONNET, usage })).toBeCloseTo(15, 9)
  })

  it('let a provider have the prices of another', () => {
    const usage = { ...NOTHING, outputTokens: MILLION }
    const call = { provider: 'our-gateway', model: 'claude-sonnet-4-20250514', usage }
    expect(genaiPrices()(call)).toBeUndefined()
    const prices = genaiPrices({ ...on('2025-09-01'), providers: { 'our-gateway': 'anthropic' } })
    expect(prices(call)).toBe(prices({ ...call, provider: 'anthropic' }))
    expect(prices({ ...call, provider: 'toString' })).toBeUndefined()
  })

  it.each([
    ['a misspelt one', { override: () => 1 }, 'override'],
    ['prices that are no function', { overrides: {} }, 'overrides'],
    ['a clock that is none', { now: 5 }, 'now'],
    ['providers that are a list', { providers: [] }, 'providers'],
    ['a provider without tables', { providers: { mine: 'nobody' } }, 'providers.mine'],
    ['a provider that is no text', { providers: { mine: 3 } }, 'providers.mine'],
  ])('are refused: %s', (_, options, option) => {
    expect(refused(() => genaiPrices(options as unknown as GenaiPricesOptions))).toBe(option)
  })
})
