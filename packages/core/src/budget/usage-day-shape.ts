import type { JsonValue } from '../json.ts'
import type { Usage } from '../provider.ts'

/** What one namespace has used on one day, as it is kept. Lists and no objects by name: names are anybody's. */
export interface UsageDay {
  readonly runs: number
  readonly models: readonly ModelDay[]
  readonly tools: readonly ToolDay[]
  /** The runs counted last, the newest at the end: of one that is added again, only what is more is counted. */
  readonly lastRuns: readonly CountedRun[]
}

export interface ModelDay {
  readonly model: string
  readonly calls: number
  readonly usage: Usage
  /** In millionths of a dollar; without what has no price. */
  readonly microUsd: number
  readonly unpricedCalls: number
  readonly cutOffCalls: number
}

export interface ToolDay {
  readonly tool: string
  readonly calls: number
}

/** What was counted of a run. */
export interface CountedRun {
  readonly runId: string
  readonly models: readonly ModelDay[]
  readonly tools: readonly ToolDay[]
}

type Fields = { readonly [name: string]: unknown }

/**
 * The value of a record; `undefined` for one that holds something else. What is wrong in it is left out, or 0, and costs
 * nothing else of the day.
 */
export function asUsageDay(value: JsonValue | undefined): UsageDay | undefined {
  const { runs, models, tools, lastRuns } = asFields(value)
  if (!Array.isArray(models) || !Array.isArray(tools) || !Array.isArray(lastRuns)) return undefined
  return { runs: asCount(runs), ...asLists(models, tools), lastRuns: lastRuns.flatMap(asCountedRun) }
}

/** As it is kept: a run's id is a key and no text, so that a store which indexes words has no new ones with every run. */
export function storedDay({ lastRuns, ...day }: UsageDay): JsonValue {
  const kept = { ...day, lastRuns: lastRuns.map(({ runId, ...counted }) => ({ [runId]: counted })) }
  return kept as unknown as JsonValue
}

function asCountedRun(value: unknown): readonly CountedRun[] {
  return Object.entries(asFields(value)).map(([runId, counted]) => {
    const { models, tools } = asFields(counted)
    return { runId, ...asLists(models, tools) }
  })
}

function asLists(models: unknown, tools: unknown): Omit<CountedRun, 'runId'> {
  return {
    models: Array.isArray(models) ? models.flatMap(asModelDay) : [],
    tools: Array.isArray(tools) ? tools.flatMap(asToolDay) : [],
  }
}

function asModelDay(value: unknown): ModelDay | readonly [] {
  const { model, calls, usage, microUsd, unpricedCalls, cutOffCalls } = asFields(value)
  if (typeof model !== 'string') return []
  return {
    model,
    calls: asCount(calls),
    usage: asUsage(asFields(usage)),
    microUsd: asCount(microUsd),
    unpricedCalls: asCount(unpricedCalls),
    cutOffCalls: asCount(cutOffCalls),
  }
}

function asToolDay(value: unknown): ToolDay | readonly [] {
  const { tool, calls } = asFields(value)
  return typeof tool === 'string' ? { tool, calls: asCount(calls) } : []
}

function asUsage({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Fields): Usage {
  return {
    inputTokens: asCount(inputTokens),
    outputTokens: asCount(outputTokens),
    cacheReadTokens: asCount(cacheReadTokens),
    cacheWriteTokens: asCount(cacheWriteTokens),
  }
}

function asCount(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0)) return 0
  return Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER)
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
