import type { Usage } from '../provider.ts'

/** Which days are summed, in UTC: `day` is today, `month` this month so far, `from` and `to` the days that they lie in and all between. */
export type UsageWindow = 'day' | 'month' | { readonly from: Date; readonly to: Date }

/** What a subtree has used in a window of time. Runs count on the day on which they began. */
export interface UsageReport {
  readonly runs: number
  readonly usage: Usage
  /** US dollars. What had no known price is not in it. */
  readonly usd: number
  /** Model calls whose price is not known. */
  readonly unpricedCalls: number
  /** Model calls that were cut off, or whose reply could not be kept; their tokens are estimated where nobody knows them. */
  readonly cutOffCalls: number
  readonly models: { readonly [model: string]: ModelUsage }
  readonly tools: { readonly [tool: string]: { readonly calls: number } }
}

export interface ModelUsage {
  readonly calls: number
  readonly usage: Usage
  /** US dollars; 0 where the price is not known. */
  readonly usd: number
}
