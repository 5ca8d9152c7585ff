import { costInMicroUsd } from './micro-usd.ts'
import type { PricedCall, Prices } from './prices.ts'

/** A call that was answered. */
export interface AnsweredCall extends PricedCall {
  /** The model that was asked for, where another one answered: a dated name, a router's choice. */
  readonly asked?: string | undefined
}

/** What an answer costs: by the price of the model that gave it, and where that has none, of the one that was asked for. */
export function answerInMicroUsd(prices: Prices | undefined, { asked, ...call }: AnsweredCall): number | undefined {
  return microUsdOf(prices, call) ?? (asked === undefined ? undefined : microUsdOf(prices, { ...call, model: asked }))
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
