import { checkOptions, invalidOption, type OptionNames, type Prices, type Usage } from '@orra/core'
import { calcPrice, findProvider, type Provider } from '@pydantic/genai-prices'

export interface GenaiPricesOptions {
  /** Asked first; what it gives no price for is looked up. For negotiated prices, and for models of your own. */
  readonly overrides?: Prices
  /** By name of an orra provider: whose tables hold for it, such as `azure`. @default those of the same name */
  readonly providers?: { readonly [provider: string]: string }
  /** The clock, in milliseconds since 1970: prices change from day to day, and some by the hour. @default Date.now */
  readonly now?: () => number
}

const OPTIONS: OptionNames<GenaiPricesOptions> = { overrides: true, providers: true, now: true }

/** Models whose tables are kept at hand. Their names may come from anywhere, so there is an end to it. */
const MAX_KNOWN = 1000

/**
 * Prices from the tables of genai-prices as they were when that package was published; nothing is fetched. A model that they
 * do not have, and usage that cannot be, have no price. Throws `options.invalid`.
 *
 * @example
 * const prices = genaiPrices()
 * prices({ provider: 'anthropic', model: 'claude-sonnet-4-5', usage })   // US dollars
 */
export function genaiPrices(options: GenaiPricesOptions = {}): Prices {
  checkGenaiPrices(options)
  const { overrides, providers = {}, now = Date.now } = options
  const tables = new Map<string, Provider | undefined>()

  function tableFor(provider: string, model: string): Provider | undefined {
    // Without a name of a provider it would be guessed from the model's.
    if (provider === '') return undefined
    const key = JSON.stringify([provider, model])
    if (tables.has(key)) return tables.get(key)
    if (tables.size >= MAX_KNOWN) tables.clear()
    const table = findTable(Object.hasOwn(providers, provider) ? (providers[provider] as string) : provider, model)
    tables.set(key, table)
    return table
  }

  return (call) => {
    const price = overrides?.(call)
    if (price !== undefined) return price
    const { provider, model, usage } = call
    const table = tableFor(provider, model)
    return table && priceOf(table, model, usage, new Date(now()))
  }
}

/** The one model's part of its provider's tables, so that the others need not be looked through again. */
function findTable(providerId: string, modelId: string): Provider | undefined {
  const found = calcPrice({}, modelId, { providerId })
  if (found === null) return undefined
  const model = { ...found.model, match: { contains: '' } }
  return { ...found.provider, models: [model] }
}

function priceOf(provider: Provider, model: string, usage: Usage, timestamp: Date): number | undefined {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage
  const counts = {
    // The parts of the input may have been rounded up by whoever counted them, and the whole is no less than they are.
    input_tokens: Math.max(inputTokens, cacheReadTokens + cacheWriteTokens),
    cache_read_tokens: cacheReadTokens,
    cache_write_tokens: cacheWriteTokens,
    output_tokens: outputTokens,
  }
  if (!Object.values(counts).every((count) => Number.isFinite(count) && count >= 0)) return undefined
  const priced = calcPrice(counts, model, { provider, timestamp })
  // Some models are sold by the page or the hour; what their tokens cost nobody knows.
  const isByToken = priced?.model_price['input_mtok'] !== undefined || priced?.model_price['output_mtok'] !== undefined
  return isByToken ? priced?.total_price : undefined
}

function checkGenaiPrices(options: GenaiPricesOptions): void {
  checkOptions('genaiPrices', options, OPTIONS)
  const { overrides, providers, now } = options
  if (overrides !== undefined && typeof overrides !== 'function') throw invalidOption('overrides', 'give a function')
  if (now !== undefined && typeof now !== 'function') throw invalidOption('now', 'give a function, such as Date.now')
  if (providers === undefined) return
  if (typeof providers !== 'object' || providers === null || Array.isArray(providers)) {
    throw invalidOption('providers', 'give an object, from names of providers to those that genai-prices has')
  }
  for (const [provider, id] of Object.entries(providers)) {
    if (typeof id === 'string' && findProvider({ providerId: id }) !== undefined) continue
    throw invalidOption(`providers.${provider}`, 'genai-prices has no provider of this name')
  }
}
