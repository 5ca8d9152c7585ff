import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, type Store } from '@orra/core'
import { OPEN } from './crash-stores.ts'
import type { Finding } from './isolation-lookout.ts'
import { playRound, type Round } from './isolation-round.ts'

/** So many calls have a store of their own, so that what there is to look at stays small. */
const ROUND = 2500

const PATIENCE_MS = { memory: 300, durable: 3000 }

/** The stores on which it can be done. */
const STORES: readonly string[] = ['memory', 'sqlite', 'file']

export interface IsolationOptions {
  readonly calls: number
  readonly seed: number
  readonly store: string
}

export interface Isolation extends Round {
  readonly calls: number
  /** Each with the seed of its round. */
  readonly findings: readonly (Finding & { readonly seed: number; readonly calls: number })[]
}

/** Makes random calls of tenants who mean no good, and finds what they have learnt or changed of each other. */
export async function runIsolation({ calls, seed, store }: IsolationOptions): Promise<Isolation> {
  const made = new Map<string, number>()
  const failed = new Map<string, number>()
  const findings: Isolation['findings'][number][] = []
  for (let count = 0; count < calls; count += ROUND) {
    await using place = await openStore(store)
    // The first round has the seed as it was given, so that a round can be had again by its own.
    const round = { seed: (seed + count / ROUND) % 1e9, calls: Math.min(ROUND, calls - count) }
    const patienceMs = store === 'memory' ? PATIENCE_MS.memory : PATIENCE_MS.durable
    const played = await playRound({ store: place.store, patienceMs, ...round })
    add(made, played.made)
    add(failed, played.failed)
    findings.push(...played.findings.map((finding) => ({ ...finding, ...round })))
  }
  return { calls: [...made.values()].reduce((sum, count) => sum + count, 0), made, failed, findings }
}

function add(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count)
}

async function openStore(name: string): Promise<AsyncDisposable & { readonly store: Store }> {
  if (name === 'memory') return { store: memoryStore(), [Symbol.asyncDispose]: async () => {} }
  const open = OPEN[name]
  if (!open) throw new Error(`There is no store "${name}" here; give ${STORES.join(', ')}.`)
  const folder = await mkdtemp(join(tmpdir(), 'orra-isolation-'))
  const store = await open({ name, at: folder, part: '' })
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
