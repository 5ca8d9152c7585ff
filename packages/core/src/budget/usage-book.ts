import { isOrraError } from '../errors.ts'
import type { JsonValue } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Records } from '../store/records.ts'
import type { Prices } from './prices.ts'
import type { RunSpend } from './spend.ts'
import { addRun, asUsageDay, EMPTY_DAY, type UsageDay, usageCollection } from './usage-day.ts'
import { windowAt } from './windows.ts'

/** Writes down what the runs of one namespace use, day by day. */
export interface UsageBook {
  /**
   * Counts a run on the day on which it began, in UTC. A run that was counted among the last few is not counted again, so
   * it can be added anew whenever it is not certain that it was. Throws what the store throws, and the signal's reason.
   */
  add(spend: RunSpend, signal?: AbortSignal): Promise<void>
}

export interface UsageBookOptions {
  /** The name of the provider, for the prices. */
  readonly provider: string
  readonly prices?: Prices | undefined
}

/** How often a day is read anew because others wrote to it; each time one of them got further. */
const MOST_CONFLICTS = 100

interface KeptDay {
  readonly name: string
  readonly version: number
  readonly day: UsageDay
}

export function openUsageBook(
  namespace: Namespace,
  records: Records,
  { provider, prices }: UsageBookOptions,
): UsageBook {
  /** The last day that was written; nothing needs to be read while nobody else writes. */
  let last: KeptDay | undefined

  const keyOf = (time: number) => ({
    collection: usageCollection(windowAt('Month', time).name),
    namespace,
    id: windowAt('Day', time).name,
  })

  async function read(time: number, signal: AbortSignal | undefined): Promise<KeptDay> {
    const key = keyOf(time)
    const record = await records.get(key, { signal })
    return { name: key.id, version: record?.version ?? 0, day: asUsageDay(record?.value) ?? EMPTY_DAY }
  }

  async function write(time: number, { name, version, day }: KeptDay, signal: AbortSignal | undefined) {
    const record = await records.put(keyOf(time), day as unknown as JsonValue, { version, signal })
    last = { name, version: record.version, day }
  }

  return {
    async add(spend, signal) {
      const time = spend.startedAt
      for (let conflicts = 0; ; conflicts += 1) {
        const known = conflicts === 0 && last?.name === keyOf(time).id ? last : await read(time, signal)
        if (known.day.lastRuns.includes(spend.runId)) return
        try {
          return await write(time, { ...known, day: addRun(known.day, spend, provider, prices) }, signal)
        } catch (error) {
          if (!isOrraError(error, 'store.conflict') || conflicts >= MOST_CONFLICTS) throw error
        }
      }
    },
  }
}
