/** What Ctrl-C does: it stops what runs; pressed once more, it leaves. */
export interface Interrupts {
  /** Ctrl-C was pressed. */
  press(): void
  /** Something else was done since; the next press is a first one again. */
  reset(): void
  /** Aborts what runs, and whatever would run next. */
  stop(): void
  /** Does `work` so that a press stops it. Resolves when it is over; an abort is no failure. */
  stoppable(work: (signal: AbortSignal) => Promise<unknown>): Promise<void>
}

/** `warn` is called for a first press while nothing runs, `leave` for the second. */
export function createInterrupts({
  warn,
  leave,
}: {
  readonly warn: () => void
  readonly leave: () => void
}): Interrupts {
  let pressed = false
  let stopped = false
  let running: AbortController | undefined

  return {
    press() {
      if (pressed) return leave()
      pressed = true
      if (running) running.abort()
      else warn()
    },
    reset() {
      pressed = false
    },
    stop() {
      stopped = true
      running?.abort()
    },
    async stoppable(work) {
      const controller = new AbortController()
      if (stopped) return
      running = controller
      try {
        await work(controller.signal)
      } catch (error) {
        if (!controller.signal.aborted) throw error
      } finally {
        running = undefined
      }
    },
  }
}
