import { costInMicroUsd } from './micro-usd.ts'
import type { PricedCall, Prices } from './prices.ts'

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
