import { isOrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Records } from '../store/records.ts'
import type { LostCall, ModelSpend, RunSpend } from './spend.ts'
import { addCalls, addLost, addRun, EMPTY_DAY, type Pricing, usageCollection } from './usage-day.ts'
import { asUsageDay, storedDay, type UsageDay } from './usage-day-shape.ts'
import { windowAt } from './windows.ts'

/** Writes down what the runs of one namespace use, day by day. */
export interface UsageBook {
  /**
   * Counts a run on the day on which it began, in UTC, and what was noted. Of a run that was counted among the last few,
   * only what it has used since is counted; so it can be added anew whenever that may be something, or nobody knows whether
   * it was added. Throws what the store throws, and the signal's reason.
   */
  add(spend: RunSpend, options?: AddOptions): Promise<void>
  /** Counts model calls that belong to no run. Throws what the store throws, and the signal's reason. */
  count(time: number, calls: readonly ModelSpend[], signal?: AbortSignal): Promise<void>
  /** Notes a model call that is in no log, to be counted with the next run that is added. */
  note(startedAt: number, call: LostCall): void
  /** Counts what was noted, where that is anything. Throws what the store throws, and the signal's reason. */
  flush(signal?: AbortSignal): Promise<void>
}

interface AddOptions {
  readonly signal?: AbortSignal | undefined
  /** The session is gone: where its book was erased with it, nothing is written. @default false */
  readonly isGone?: boolean
}

/** The name of the provider, for the prices, and these. */
export type UsageBookOptions = Pricing

/** How often a day is read anew because others wrote to it; each time one of them got further. */
const MOST_CONFLICTS = 100

interface KeptDay {
  readonly name: string
  readonly version: number
  readonly day: UsageDay
}

export function openUsageBook(namespace: Namespace, records: Records, pricing: UsageBookOptions): UsageBook {
  /** The last day that was written; nothing needs to be read while nobody else writes. */
  let last: KeptDay | undefined
  /** Noted, and not yet written. All of one run, which is the only one that works here. */
  let noted: { readonly startedAt: number; readonly calls: readonly LostCall[] } | undefined

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
    const record = await records.put(keyOf(time), storedDay(day), { version, signal })
    last = { name, version: record.version, day }
  }

  /** Writes a day as `change` makes it, unless it changes nothing. */
  async function update(time: number, change: (day: UsageDay) => UsageDay, { signal, isGone = false }: AddOptions) {
    for (let conflicts = 0; ; conflicts += 1) {
      const known = conflicts === 0 && last?.name === keyOf(time).id ? last : await read(time, signal)
      const day = change(known.day)
      if (day === known.day || (isGone && conflicts > 0 && known.version === 0)) return
      try {
        return await write(time, { ...known, day }, signal)
      } catch (error) {
        if (!isOrraError(error, 'store.conflict') || conflicts >= MOST_CONFLICTS) throw error
      }
    }
  }

  return {
    async add(spend, options = {}) {
      const written = noted
      const { calls = [] } = written ?? {}
      await update(spend.startedAt, (day) => addLost(addRun(day, spend, pricing), calls, pricing), options)
      if (noted === written) noted = undefined
    },

    count: (time, calls, signal) => update(time, (day) => addCalls(day, calls, pricing), { signal }),

    note(startedAt, call) {
      noted = { startedAt, calls: [...(noted?.calls ?? []), call] }
    },

    async flush(signal) {
      const written = noted
      if (!written) return
      await update(written.startedAt, (day) => addLost(day, written.calls, pricing), { signal })
      if (noted === written) noted = undefined
    },
  }
}
