import { vi } from 'vitest'

/** From here on time stands still, but for those who drive it: timers, dates and what `performance` measures. */
export function virtualTime(): Disposable {
  vi.useFakeTimers({
    now: 1_700_000_000_000,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  return { [Symbol.dispose]: () => void vi.useRealTimers() }
}

/** Lets time pass, from one timer to the next, until `work` is done. Throws when that takes suspiciously many. */
export async function passTimeFor<T>(work: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  work.then(end, end)
  for (let timers = 0; !done; timers += 1) {
    if (timers > 20_000) throw new Error('It goes round and round.')
    await vi.advanceTimersToNextTimerAsync()
  }
  return work
}

/** Lets so many milliseconds pass. */
export async function passTime(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}
