import type { JsonValue } from '../json.ts'
import { addUsage, isUsage, type Usage } from '../provider.ts'
import { microUsdOf } from './priced.ts'
import type { Prices } from './prices.ts'
import type { ModelSpend, RunSpend } from './spend.ts'

/** What one namespace has used on one day, as it is kept. Lists and no objects by name: names are anybody's. */
export interface UsageDay {
  readonly runs: number
  readonly models: readonly ModelDay[]
  readonly tools: readonly ToolDay[]
  /** The runs counted last, the newest at the end: one that is added again is not counted again. */
  readonly lastRuns: readonly string[]
}

export interface ModelDay {
  readonly model: string
  readonly calls: number
  readonly usage: Usage
  /** In millionths of a dollar; without what has no price. */
  readonly microUsd: number
  readonly unpricedCalls: number
}

export interface ToolDay {
  readonly tool: string
  readonly calls: number
}

export const EMPTY_DAY: UsageDay = { runs: 0, models: [], tools: [], lastRuns: [] }

/** How many runs are remembered by their id. */
const REMEMBERED_RUNS = 8

/** Collections of a month each, so that what is read for a day does not grow with the years. */
export function usageCollection(month: string): string {
  return `orra.usage.${month}`
}

/** The day with one run more. */
export function addRun(day: UsageDay, spend: RunSpend, provider: string, prices: Prices | undefined): UsageDay {
  const models = [...spend.models].map(([model, spent]) => pricedSpend(provider, model, spent, prices))
  const tools = [...spend.tools].map(([tool, calls]) => ({ tool, calls }))
  return {
    runs: day.runs + 1,
    models: sumModels([...day.models, ...models]),
    tools: sumTools([...day.tools, ...tools]),
    lastRuns: [...day.lastRuns, spend.runId].slice(-REMEMBERED_RUNS),
  }
}

function pricedSpend(
  provider: string,
  model: string,
  { calls, usage }: ModelSpend,
  prices: Prices | undefined,
): ModelDay {
  const microUsd = microUsdOf(prices, { provider, model, usage })
  return { model, calls, usage, microUsd: microUsd ?? 0, unpricedCalls: microUsd === undefined ? calls : 0 }
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
    calls: a.calls + b.calls,
    usage: addUsage(a.usage, b.usage),
    microUsd: a.microUsd + b.microUsd,
    unpricedCalls: a.unpricedCalls + b.unpricedCalls,
  }
}

/** One for each tool, in the order in which they first come. */
export function sumTools(tools: readonly ToolDay[]): readonly ToolDay[] {
  const sums = new Map<string, number>()
  for (const { tool, calls } of tools) sums.set(tool, (sums.get(tool) ?? 0) + calls)
  return [...sums].map(([tool, calls]) => ({ tool, calls }))
}

/** The value of a record; `undefined` for one that holds something else. */
export function asUsageDay(value: JsonValue | undefined): UsageDay | undefined {
  const { runs, models, tools, lastRuns } = (value ?? {}) as { readonly [name in keyof UsageDay]?: unknown }
  const isDay =
    Number.isFinite(runs) &&
    isListOf(models, isModelDay) &&
    isListOf(tools, (tool) => typeof tool['tool'] === 'string' && Number.isFinite(tool['calls'])) &&
    Array.isArray(lastRuns)
  return isDay ? (value as unknown as UsageDay) : undefined
}

function isModelDay(day: Readonly<Record<string, unknown>>): boolean {
  const areCounts = ['calls', 'microUsd', 'unpricedCalls'].every((name) => Number.isFinite(day[name]))
  return areCounts && typeof day['model'] === 'string' && isUsage(day['usage'])
}

function isListOf(value: unknown, test: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && test(item))
}
