// A thread of its own for file-locks.test.ts: in each round all threads want one lock, that of a dead process, at once.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { fileLocks } from '../src/file-locks.ts'

export interface ThreadData {
  readonly folder: string
  readonly rounds: number
  readonly threads: number
  /** How many have arrived, how many are in the lock, how often two were, how often one was. */
  readonly shared: Int32Array
  /** Tells that it has the lock, and keeps it. */
  readonly holds?: boolean
}

const { folder, rounds, threads, shared, holds = false } = workerData as ThreadData
const [ARRIVED, INSIDE, TOGETHER, ALONE] = [0, 1, 2, 3]
const locks = fileLocks(folder, { busyTimeoutMs: 60_000 })

/** Returns when as many have arrived as there are threads, for the `round`th time. */
function meet(round: number): void {
  Atomics.add(shared, ARRIVED, 1)
  while (Atomics.load(shared, ARRIVED) < threads * (round + 1));
}

for (let round = 0; round < rounds; round += 1) {
  meet(round)
  await locks.hold(`lock-${round}`, async () => {
    if (holds) {
      parentPort?.postMessage('held')
      if (parentPort) await once(parentPort, 'message')
    }
    if (Atomics.add(shared, INSIDE, 1) > 0) Atomics.add(shared, TOGETHER, 1)
    for (let spin = 0; spin < 20_000; spin += 1) Atomics.load(shared, INSIDE)
    Atomics.sub(shared, INSIDE, 1)
    Atomics.add(shared, ALONE, 1)
  })
}
locks.signOut()
