import { setTimeout } from 'node:timers/promises'
import { isBusy } from './sqlite-error.ts'

// SQLite's own waiting looks only every 100 ms in the end. Under load that misses every moment in which a lock is free.

/** Tries `work` until no other process is in its way, or until this moment of `performance.now()`; then that is thrown. */
export async function waitWhileBusy<T>(until: number, work: () => T): Promise<T> {
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error
    }
    await pause()
  }
}

/** The same, while the whole process waits. */
export function waitWhileBusySync<T>(until: number, work: () => T): T {
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs())
  }
}

/** Until it is worth trying again. */
export function pause(): Promise<void> {
  return setTimeout(pauseMs())
}

/** Not always the same, so that those who wait do not keep in step. */
function pauseMs(): number {
  return 1 + Math.random() * 3
}
