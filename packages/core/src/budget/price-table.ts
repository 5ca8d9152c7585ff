import { globTest } from '../gate/glob.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { Usage } from '../provider.ts'
import type { Prices } from './prices.ts'

/** US dollars for a million tokens. */
export interface ModelPrice {
  /** Sent, and neither read from a cache nor written to one. */
  readonly input: number
  readonly output: number
  /** @default as `input` */
  readonly cacheRead?: number
  /** @default as `input` */
  readonly cacheWrite?: number
}

/** Prices by model; `*` stands for any run of characters. The first that matches a model holds for it. */
export interface PriceTable {
  readonly [model: string]: ModelPrice
}

const PRICE_NAMES = { input: true, output: true, cacheRead: true, cacheWrite: true } satisfies OptionNames<ModelPrice>

/**
 * Prices out of a table. A model that nothing matches has none. Throws `options.invalid`.
 *
 * @example
 * priceTable({ 'claude-sonnet-*': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } })
 */
export function priceTable(table: PriceTable): Prices {
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw invalidOption('prices', 'a price table is one object, from models to their prices')
  }
  const rows = Object.entries(table).map(([model, price]) => {
    checkPrice(model, price)
    return { matches: globTest(model), price }
  })
  return ({ model, usage }) => {
    const row = rows.find(({ matches }) => matches(model))
    return row && costOf(row.price, usage)
  }
}

function checkPrice(model: string, price: ModelPrice): void {
  if (model === '') throw invalidOption('prices', 'a price table names each model, and one name is empty')
  checkOptions(`the price of "${model}"`, price, PRICE_NAMES)
  for (const name of Object.keys(PRICE_NAMES) as readonly (keyof ModelPrice)[]) {
    const usd = price[name]
    const isLeftOut = usd === undefined && name !== 'input' && name !== 'output'
    if (isLeftOut || (Number.isFinite(usd) && Number(usd) >= 0)) continue
    throw invalidOption(name, `the price of "${model}" is in US dollars for a million tokens, 0 or more`)
  }
}

function costOf({ input, output, cacheRead = input, cacheWrite = input }: ModelPrice, usage: Usage): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage
  const plainTokens = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens)
  const read = cacheReadTokens * cacheRead
  const written = cacheWriteTokens * cacheWrite
  return (plainTokens * input + read + written + outputTokens * output) / 1_000_000
}
