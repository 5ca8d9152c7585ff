import type { Usage } from '../provider.ts'

/**
 * What a model call cost, or would cost, in US dollars; `undefined` when nobody knows. More tokens never cost less. Asked
 * many times, also for calls that are never made, so it answers from memory.
 */
export type Prices = (call: PricedCall) => number | undefined

export interface PricedCall {
  /** The name of the provider, such as `anthropic`. */
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  readonly usage: Usage
}
