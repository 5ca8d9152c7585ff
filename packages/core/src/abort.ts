/**
 * `work`, or the signal's reason as soon as that aborts, whichever comes first. Work that does not heed the signal goes
 * on by itself; whatever it comes to is ignored.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    const done = () => signal.removeEventListener('abort', abort)
    work.then(resolve, reject).finally(done)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })
}

/** A controller that aborts with any of the signals, until it is let go. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}

/** Like `AbortSignal.any`, but leaves no listener behind on a signal that outlives it. */
export function linkAbort(...signals: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController()
  const listeners = signals.flatMap((signal) => {
    if (!signal) return []
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    return [() => signal.removeEventListener('abort', abort)]
  })
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      for (const remove of listeners) remove()
    },
  }
}
