/** Calls `work` once the signal aborts, or now when it has; until disposed. */
export function onAbort(signal: AbortSignal, work: () => void): Disposable {
  if (signal.aborted) work()
  else signal.addEventListener('abort', work, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', work) }
}

/**
 * `work`, or the signal's reason as soon as that aborts, whichever comes first. Work that does not heed the signal goes
 * on by itself; whatever it comes to is ignored.
 */
export async function untilAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  Promise.resolve(work).then(resolve, reject)
  using _ = onAbort(signal, () => reject(signal.reason))
  return await promise
}

/** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  using _ = onAbort(signal, resolve)
  await promise
  clearTimeout(timer)
}

/** A signal that aborts with any of several, until disposed. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}

/** Like `AbortSignal.any`, but leaves no listener behind on a signal that outlives it. */
export function linkAbort(...signals: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController()
  const links = signals.flatMap((signal) => (signal ? onAbort(signal, () => controller.abort(signal.reason)) : []))
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      for (const link of links) link[Symbol.dispose]()
    },
  }
}
