import { isOrraError, type JsonValue, Namespace, type Store } from '@orra/core'
import { bob, decided, input, message } from './entries.ts'
import { numbers } from './pages.ts'

/** What each of several processes does at once; it returns what the scenario looks at. */
export const JOBS = {
  /** Adds twenty inputs of its own, and one that all of them send. */
  async append({ sessions }, child) {
    const seqs: number[] = []
    for (const index of numbers(20)) seqs.push(...(await sessions.append(bob, [input(`${child}-${index}`)])).seqs)
    return { seqs, shared: [...(await sessions.append(bob, [input(`${child}`, 'shared')])).seqs] }
  },

  /** Claims sessions that all want, and writes into those that it gets. */
  async claim({ sessions }, child) {
    const epochs: number[] = []
    for (const index of numbers(20)) {
      const namespace = Namespace.of('wanted', `${index}`)
      const lease = await sessions.claim(namespace, { owner: `${child}`, ttlMs: 600_000 })
      if (!lease) continue
      await sessions.append(namespace, [message(`${child}`)], { epoch: lease.epoch })
      epochs.push(lease.epoch)
    }
    return epochs
  },

  /** Decides of twenty calls that wait, with a word of its own; which it was first to decide of. */
  async decide({ sessions }, child) {
    const { openRun } = (await sessions.head(bob)) ?? {}
    const first: string[] = []
    for (const { callId, seq } of openRun?.approvals ?? []) {
      const decision = { ...decided(callId, seq, child % 2 === 0), reason: `${child}` }
      if ((await sessions.append(bob, [decision])).written > 0) first.push(callId)
    }
    return first
  },

  /** Reserves one of thirty, thirty times, and settles what it gets. */
  async reserve({ counters }) {
    let granted = 0
    for (const _ of numbers(30)) {
      const claim = { namespace: bob, counter: 'calls', window: 'all', amount: 1, limit: 30 }
      const reservation = await counters.reserve([claim], { ttlMs: 600_000 })
      if (!reservation.granted) continue
      await counters.settle(reservation.id, [1])
      granted += 1
    }
    return granted
  },

  /** Adds ten to a number, one by one, and tries to be the one that makes each of ten records. */
  async put({ records }, child) {
    const key = { collection: 'number', namespace: bob, id: 'sum' }
    const first: number[] = []
    for (const index of numbers(10)) {
      const made = { ...key, id: `made-${index}` }
      if (await wins(() => records.put(made, child, { version: 0 }))) first.push(index)
      for (;;) {
        const { version = 0, value = 0 } = (await records.get(key)) ?? {}
        if (await wins(() => records.put(key, (value as number) + 1, { version }))) break
      }
    }
    return first
  },
} as const satisfies { readonly [job: string]: (store: Store, child: number) => Promise<JsonValue> }

export type Job = keyof typeof JOBS

async function wins(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (isOrraError(error, 'store.conflict')) return false
    throw error
  }
}
