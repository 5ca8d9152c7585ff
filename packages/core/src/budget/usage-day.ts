import { addCounts, addUsage } from '../provider.ts'
import { answerInMicroUsd } from './priced.ts'
import type { Prices } from './prices.ts'
import type { LostCall, ModelSpend, RunSpend } from './spend.ts'
import { modelsBeyond, toolsBeyond } from './usage-beyond.ts'
import type { CountedRun, ModelDay, ToolDay, UsageDay } from './usage-day-shape.ts'

export const EMPTY_DAY: UsageDay = { runs: 0, models: [], tools: [], lastRuns: [] }

/** How many runs are remembered by their id. A session has one at a time; the one before is for whoever is late. */
const REMEMBERED_RUNS = 2

/** Collections of a month each, so that what is read for a day does not grow with the years. */
export function usageCollection(month: string): string {
  return `orra.usage.${month}`
}

/** The price of what a provider's models have used. */
export interface Pricing {
  readonly provider: string
  readonly prices?: Prices | undefined
}

/**
 * The day with one run more; or, where that run is among the last that were counted, with what it has used since. The same
 * day when that is nothing.
 */
export function addRun(day: UsageDay, spend: RunSpend, pricing: Pricing): UsageDay {
  const { runId } = spend
  const run: CountedRun = {
    runId,
    models: sumModels(spend.models.map((spent) => pricedSpend(pricing, spent))),
    tools: sumTools([...spend.tools].map(([tool, calls]) => ({ tool, calls }))),
  }
  const before = day.lastRuns.find((counted) => counted.runId === runId)
  const models = modelsBeyond(run.models, before?.models ?? [])
  const tools = toolsBeyond(run.tools, before?.tools ?? [])
  if (before && models.length === 0 && tools.length === 0) return day
  return {
    runs: before ? day.runs : addCounts(day.runs, 1),
    models: sumModels([...day.models, ...models]),
    tools: sumTools([...day.tools, ...tools]),
    lastRuns: [...day.lastRuns.filter((counted) => counted !== before), run].slice(-REMEMBERED_RUNS),
  }
}

/** The day with model calls that belong to no run. */
export function addCalls(day: UsageDay, calls: readonly ModelSpend[], pricing: Pricing): UsageDay {
  return { ...day, models: sumModels([...day.models, ...calls.map((spent) => pricedSpend(pricing, spent))]) }
}

/** The day with model calls that are in no log. */
export function addLost(day: UsageDay, lost: readonly LostCall[], pricing: Pricing): UsageDay {
  if (lost.length === 0) return day
  const models = lost.map((call) => ({ ...pricedSpend(pricing, { ...call, calls: 1 }), cutOffCalls: 1 }))
  return { ...day, models: sumModels([...day.models, ...models]) }
}

function pricedSpend({ provider: own, prices }: Pricing, spent: ModelSpend): ModelDay {
  const { model, calls, usage, askedProvider = own } = spent
  const microUsd = answerInMicroUsd(prices, askedProvider, spent)
  const unpricedCalls = microUsd === undefined ? calls : 0
  return { model, calls, usage, microUsd: microUsd ?? 0, unpricedCalls, cutOffCalls: 0 }
}

/** One for each model, in the order in which they first come. */
export function sumModels(models: readonly ModelDay[]): readonly ModelDay[] {
  const sums = new Map<string, ModelDay>()
  for (const day of models) {
    const sum = sums.get(day.model)
    sums.set(day.model, sum ? addModel(sum, day) : day)
  }
  return [...sums.values()]
}

function addModel(a: ModelDay, b: ModelDay): ModelDay {
  return {
    model: a.model,
    calls: addCounts(a.calls, b.calls),
    usage: addUsage(a.usage, b.usage),
    microUsd: addCounts(a.microUsd, b.microUsd),
    unpricedCalls: addCounts(a.unpricedCalls, b.unpricedCalls),
    cutOffCalls: addCounts(a.cutOffCalls, b.cutOffCalls),
  }
}

/** One for each tool, in the order in which they first come. */
export function sumTools(tools: readonly ToolDay[]): readonly ToolDay[] {
  const sums = new Map<string, number>()
  for (const { tool, calls } of tools) sums.set(tool, addCounts(sums.get(tool) ?? 0, calls))
  return [...sums].map(([tool, calls]) => ({ tool, calls }))
}
