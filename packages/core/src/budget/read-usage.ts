import type { Namespace } from '../namespace.ts'
import { invalidOption } from '../options.ts'
import { addCounts, addUsage, NO_USAGE } from '../provider.ts'
import type { Records, StoredRecord } from '../store/records.ts'
import type { UsageReport, UsageWindow } from './usage.ts'
import { sumModels, sumTools, usageCollection } from './usage-day.ts'
import { asUsageDay, type ModelDay, type ToolDay } from './usage-day-shape.ts'
import { windowAt } from './windows.ts'

export interface ReadUsageOptions {
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
  readonly signal?: AbortSignal | undefined
}

const PAGE = 500
/** Each month is a question of its own to the store. */
const MOST_MONTHS = 120

/**
 * What a namespace and all below it have used. Throws `options.invalid` for a window that is none, or longer than ten
 * years, what the store throws, and the signal's reason.
 */
export async function readUsage(
  records: Records,
  within: Namespace,
  window: UsageWindow,
  { now = Date.now, signal }: ReadUsageOptions = {},
): Promise<UsageReport> {
  const { from, to } = boundsOf(window, now())
  const [firstDay, lastDay] = [windowAt('Day', from).name, windowAt('Day', to).name]
  let runs = 0
  let models: readonly ModelDay[] = []
  let tools: readonly ToolDay[] = []

  for (const month of monthsOf(from, to)) {
    for await (const { id, value } of recordsOf(records, within, usageCollection(month), signal)) {
      const day = id >= firstDay && id <= lastDay ? asUsageDay(value) : undefined
      if (!day) continue
      runs = addCounts(runs, day.runs)
      models = sumModels([...models, ...day.models])
      tools = sumTools([...tools, ...day.tools])
    }
  }
  return reportOf(runs, models, tools)
}

async function* recordsOf(
  records: Records,
  within: Namespace,
  collection: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredRecord> {
  let after: string | undefined
  do {
    signal?.throwIfAborted()
    const scope = { collection, within, limit: PAGE, signal }
    const page = await records.list(after === undefined ? scope : { ...scope, after })
    yield* page.items
    after = page.next
  } while (after !== undefined)
}

function reportOf(runs: number, models: readonly ModelDay[], tools: readonly ToolDay[]): UsageReport {
  return {
    runs,
    usage: models.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    usd: models.reduce((sum, { microUsd }) => addCounts(sum, microUsd), 0) / 1_000_000,
    unpricedCalls: models.reduce((sum, { unpricedCalls }) => addCounts(sum, unpricedCalls), 0),
    cutOffCalls: models.reduce((sum, { cutOffCalls }) => addCounts(sum, cutOffCalls), 0),
    // `fromEntries` makes properties of all names alike, `__proto__` too.
    models: Object.fromEntries(
      models.map(({ model, calls, usage, microUsd }) => [model, { calls, usage, usd: microUsd / 1_000_000 }]),
    ),
    tools: Object.fromEntries(tools.map(({ tool, calls }) => [tool, { calls }])),
  }
}

function boundsOf(window: UsageWindow, now: number): { readonly from: number; readonly to: number } {
  if (window === 'day') return { from: now, to: now }
  if (window === 'month') return { from: firstOfMonth(now), to: now }
  const [from, to] = [timeOf(window?.from), timeOf(window?.to)]
  if (from === undefined || to === undefined) {
    throw invalidOption('window', 'it is "day", "month" or two dates, { from, to }')
  }
  if (from > to) throw invalidOption('window', '"from" is later than "to"')
  return { from, to }
}

function timeOf(value: unknown): number | undefined {
  const time = value instanceof Date ? value.getTime() : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function monthsOf(from: number, to: number): readonly string[] {
  const months: string[] = []
  for (let time = firstOfMonth(from); time <= to; time = windowAt('Month', time).endsAt) {
    months.push(windowAt('Month', time).name)
    if (months.length > MOST_MONTHS) throw invalidOption('window', `it is longer than ${MOST_MONTHS / 12} years`)
  }
  return months
}

function firstOfMonth(time: number): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}
