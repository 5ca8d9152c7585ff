import {
  type AppendOptions,
  type AppendPlan,
  type AppendResult,
  type Entry,
  isOrraError,
  type Namespace,
  planAppend,
} from '@orra/core'
import type { Database, Run } from './database.ts'
import { placeOf } from './namespace-place.ts'
import type { RecentSessions } from './recent-sessions.ts'
import type { Tables } from './schema.ts'
import { headOf, type SessionRow, type SessionRows, seqOf } from './session-rows.ts'
import { sql } from './sql.ts'
import { turns } from './turns.ts'

type Conditions = Omit<AppendOptions, 'signal'>
type Append = (namespace: Namespace, entries: readonly Entry[], conditions: Conditions) => Promise<AppendResult>

/** How often an append is tried without a lock while others come first. */
const FREE_TRIES = 30

/**
 * Plans on the head as it is known, then writes on condition that it still is that head: one query when this process knew it,
 * two when it had to read it. Whoever is too late reads and plans anew, and after many tries keeps the others out.
 */
export function appender(
  { run, transaction }: Database,
  rows: SessionRows,
  recent: RecentSessions,
  { session }: Tables,
  now: () => number,
): Append {
  const inTurn = turns()

  /** `undefined` when the head has changed meanwhile. */
  async function attempt(
    run: Run,
    namespace: Namespace,
    entries: readonly Entry[],
    conditions: Conditions,
  ): Promise<AppendResult | undefined> {
    const inputs = entries.flatMap((entry) => (entry.type === 'input' ? [entry.key] : []))
    const row = await rows.find(run, namespace.key, inputs)
    const plan = planned(now(), namespace, row, entries, conditions, (key) => row && seqOf(row, key))
    if (plan.logged.length === 0) return { head: plan.head, seqs: plan.seqs, written: 0 }
    return write(run, namespace, row, plan)
  }

  async function write(run: Run, namespace: Namespace, base: SessionRow | undefined, plan: AppendPlan) {
    const row = await rows.write(run, base, plan)
    if (!row) return undefined
    recent.set(namespace, row)
    return { head: headOf(row), seqs: plan.seqs, written: plan.logged.length }
  }

  /** What is known may be out of date: a plan that it forbids or that writes nothing is made again with what is. */
  async function fromMemory(
    namespace: Namespace,
    entries: readonly Entry[],
    conditions: Conditions,
  ): Promise<AppendResult | undefined> {
    const row = recent.get(namespace)
    if (!row) return undefined
    const plan = planOrNothing(() => planned(now(), namespace, row, entries, conditions, () => undefined))
    return plan && plan.logged.length > 0 ? write(run, namespace, row, plan) : undefined
  }

  return (namespace, entries, conditions) =>
    // Others of this process would only be in each other's way.
    inTurn(namespace.key, async () => {
      const soon = await fromMemory(namespace, entries, conditions)
      if (soon) return soon
      for (let tries = 1; ; tries += 1) {
        const result =
          tries <= FREE_TRIES
            ? await attempt(run, namespace, entries, conditions)
            : await transaction([], async (run) => {
                await run(sql`SELECT FROM ${session} WHERE key = ${placeOf(namespace.key).place} FOR UPDATE`)
                return attempt(run, namespace, entries, conditions)
              })
        if (result) return result
      }
    })
}

function planned(
  now: number,
  namespace: Namespace,
  row: SessionRow | undefined,
  entries: readonly Entry[],
  conditions: Conditions,
  seqOfKey: (key: string) => number | undefined,
): AppendPlan {
  // The times of the plan are a draft: the statement that writes sets them.
  return planAppend(namespace, row && headOf(row), entries, { ...conditions, now, seqOfKey })
}

function planOrNothing(plan: () => AppendPlan): AppendPlan | undefined {
  try {
    return plan()
  } catch (error) {
    if (isOrraError(error)) return undefined
    throw error
  }
}
