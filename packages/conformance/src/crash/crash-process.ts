// A process of its own that lives one life of an application: opens the store, tells what it found, has the conversation
// while it goes on with what is open, and tells what it left. Unless it is killed on the way, by itself.
import { setTimeout as delay } from 'node:timers/promises'
import { createRuntime, isPending, type Runtime, type Store } from '@orra/core'
import type { CrashApp } from './crash-app.ts'
import { openJournal } from './journal.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { steppedProvider } from './stepped-provider.ts'
import { steppedStore } from './stepped-store.ts'
import { steppedTool } from './stepped-tools.ts'
import { countSteps, type Death } from './steps.ts'
import { unlikeReaders } from './unlike-readers.ts'

/** What the harness tells the process. */
export interface LifeTask {
  /** The URL of the module with the application. */
  readonly module: string
  readonly place: string
  /** The path of the file for what is witnessed. */
  readonly journal: string
  readonly leaseTtlMs: number
  readonly patienceMs: number
  readonly death?: Death | undefined
}

/** What the process tells the harness, in this order. */
export type LifeNews =
  | { readonly type: 'found'; readonly snapshot: Snapshot }
  | {
      readonly type: 'left'
      readonly snapshot: Snapshot
      readonly steps: readonly string[]
      /** It was done before its time ran out. */
      readonly isDone: boolean
      /** The keys of sessions of which not every process would send the same. */
      readonly unlike: readonly string[]
      /** The names of tools that can be done again. */
      readonly repeatable: readonly string[]
    }
  | { readonly type: 'failed'; readonly problem: string }

/** How often what others may still hold is asked for, in milliseconds. */
const POLL_MS = 20

const tell = (news: LifeNews) => new Promise<void>((resolve) => process.send?.(news, () => resolve()))

// Listening keeps it alive, whatever a store thinks of its connections.
process.on('message', async (task) => {
  try {
    await live(task as LifeTask)
  } catch (error) {
    await tell({ type: 'failed', problem: error instanceof Error ? error.message : String(error) })
  }
  // What hangs must not keep it alive.
  process.exit()
})

async function live({ module, place, journal: path, leaseTtlMs, patienceMs, death }: LifeTask): Promise<void> {
  const { default: app } = (await import(module)) as { readonly default?: CrashApp }
  if (!app) throw new Error('The module has no default export: give one with openStore, options and converse.')
  const opened = await app.openStore(place)
  await tell({ type: 'found', snapshot: await snapshotOf(opened) })

  const steps = countSteps(death)
  const journal = openJournal(path)
  const store = steppedStore(opened, steps, journal)
  const { provider, tools = [], ...options } = await app.options(store, place)
  const stepped = {
    ...options,
    provider: steppedProvider(provider, steps, journal),
    tools: tools.map((tool) => steppedTool(tool, steps, journal)),
    leaseTtlMs,
  }
  const runtime = createRuntime({ ...stepped, store })
  const isDone = await Promise.race([
    haveEverythingSaid(app, runtime, store).then(() => true),
    delay(patienceMs, false, { ref: false }),
  ])
  const unlike = isDone ? await unlikeReaders(runtime, stepped, opened) : []
  if (isDone) {
    await runtime.close()
    await store[Symbol.asyncDispose]()
  }
  // As whoever comes next would find it.
  await using left = await app.openStore(place)
  if (isDone) await app.check?.(left, place)
  const repeatable = tools.filter(({ readOnly, idempotent }) => readOnly || idempotent).map(({ name }) => name)
  await tell({ type: 'left', snapshot: await snapshotOf(left), steps: steps.passed, isDone, unlike, repeatable })
}

async function haveEverythingSaid(app: CrashApp, runtime: Runtime, store: Store): Promise<void> {
  const said = new AbortController()
  const recovering = runtime.recover({ signal: said.signal, pollMs: POLL_MS })
  await app.converse(runtime, store)
  said.abort()
  await recovering
  // What is pending can be held by a dead process still, and is nobody's work until that lease runs out.
  for (;;) {
    await runtime.recover({ untilIdle: true, pollMs: POLL_MS })
    const { sessions } = await snapshotOf(store)
    if (!sessions.some(({ head }) => isPending(head))) return
    await delay(POLL_MS)
  }
}
