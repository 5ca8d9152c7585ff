import { type LinkedAbort, linkAbort } from '../abort.ts'
import { LONGEST_TIMEOUT_MS } from '../tool.ts'

/** How long a run has worked. It stands still while somebody is asked or waited for. */
export interface RunClock extends Disposable {
  /** Aborts with the run's own, and once the time is over. */
  readonly signal: AbortSignal
  /** The time is over, and that is why the signal has aborted. */
  readonly isOver: boolean
  /** Stands still until all that was given is disposed. */
  rest(): Disposable
}

export function startRunClock(limitMs: number, signal: AbortSignal): RunClock {
  const linked: LinkedAbort = linkAbort(signal)
  let leftMs = Math.min(limitMs, LONGEST_TIMEOUT_MS)
  let resting = 0
  let isOver = false
  let startedAt = 0
  let timer: NodeJS.Timeout | undefined

  const start = () => {
    startedAt = performance.now()
    timer = setTimeout(() => {
      isOver = !signal.aborted
      linked.abort(new Error('The time of the run is over.'))
    }, leftMs)
  }
  const stop = () => {
    clearTimeout(timer)
    leftMs = Math.max(0, leftMs - (performance.now() - startedAt))
  }
  start()

  return {
    signal: linked.signal,
    get isOver() {
      return isOver
    },
    rest() {
      if (resting === 0) stop()
      resting += 1
      let isResting = true
      return {
        [Symbol.dispose]() {
          if (isResting) resting -= 1
          if (isResting && resting === 0 && !linked.signal.aborted) start()
          isResting = false
        },
      }
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      linked[Symbol.dispose]()
    },
  }
}
