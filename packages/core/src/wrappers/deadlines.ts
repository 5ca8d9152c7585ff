import type { ErrorDetails } from '../errors.ts'

export type Phase = ErrorDetails['provider.timeout']['phase']

/** How long each phase of a call may take, in milliseconds; `undefined` for as long as it likes. */
export type PhaseLimits = { readonly [P in Phase]: number | undefined }

/** The clocks of one call. Holds no timer once it is disposed. */
export interface Deadlines extends Disposable {
  start(...phases: readonly Phase[]): void
  stop(...phases: readonly Phase[]): void
}

/** Calls `over` for each phase that has begun and is not stopped in time. */
export function openDeadlines(limits: PhaseLimits, over: (phase: Phase, afterMs: number) => void): Deadlines {
  const timers = new Map<Phase, NodeJS.Timeout>()

  function stop(...phases: readonly Phase[]): void {
    for (const phase of phases) {
      clearTimeout(timers.get(phase))
      timers.delete(phase)
    }
  }

  return {
    start(...phases) {
      for (const phase of phases) {
        const ms = limits[phase]
        stop(phase)
        if (ms !== undefined)
          timers.set(
            phase,
            setTimeout(() => over(phase, ms), ms),
          )
      }
    },
    stop,
    [Symbol.dispose]: () => stop(...timers.keys()),
  }
}
