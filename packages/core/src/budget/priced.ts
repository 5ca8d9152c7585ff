import { costInMicroUsd } from './micro-usd.ts'
import type { PricedCall, Prices } from './prices.ts'

/** A call that was answered. */
export interface AnsweredCall extends Pick<PricedCall, 'model' | 'usage'> {
  /** The provider that answered. @default the one that was asked */
  readonly provider?: string | undefined
  /** The model that was asked for, where another one answered: a dated name, a router's choice. */
  readonly asked?: string | undefined
}

/**
 * What an answer costs: by the price of the model that gave it, and where that has none, of the one that was asked for, unless
 * another provider gave it, to which that name says nothing. `own` is the provider that was asked.
 */
export function answerInMicroUsd(
  prices: Prices | undefined,
  own: string,
  { provider = own, model, asked, usage }: AnsweredCall,
): number | undefined {
  const other = provider === own ? asked : undefined
  return (
    microUsdOf(prices, { provider, model, usage }) ??
    (other === undefined ? undefined : microUsdOf(prices, { provider, model: other, usage }))
  )
}

/**
 * What a call costs in millionths of a dollar, rounded up; `undefined` when nobody knows. Prices that throw, or give what
 * is no amount of money, do not know.
 */
export function microUsdOf(prices: Prices | undefined, call: PricedCall): number | undefined {
  const usd = askPrice(prices, call)
  const isAmount = typeof usd === 'number' && Number.isFinite(usd) && usd >= 0
  return isAmount ? costInMicroUsd(usd) : undefined
}

function askPrice(prices: Prices | undefined, call: PricedCall): unknown {
  try {
    return prices?.(call)
  } catch {
    return undefined
  }
}
