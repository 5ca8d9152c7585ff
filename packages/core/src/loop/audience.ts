import { linkAbort } from '../abort.ts'
import type { RunEvent } from '../run-event.ts'
import { isCaller, type Waiter } from './waiting-room.ts'

/**
 * Those for whom a run runs. It goes on as long as one of them stays, and whoever leaves before the last goes alone. A run
 * that nobody here has asked for cannot be stopped by those who come later.
 */
export interface Audience extends Disposable {
  /** Aborts with the lease, when the last one has left, and with `stop`. */
  readonly signal: AbortSignal
  /** The keys of the inputs that it answers. */
  readonly inputs: ReadonlySet<string>
  has(waiter: Waiter): boolean
  /** Lets somebody in who comes later, and tells them that it has begun. */
  join(waiter: Waiter): void
  /** Somebody's signal has aborted. Whether they may go by themselves: otherwise the run stops, and they get its end. */
  leave(waiter: Waiter): boolean
  emit(event: RunEvent): void
  /** Nobody wants it any more, wherever they are. */
  stop(reason: unknown): void
}

export function openAudience(waiters: readonly Waiter[], inputs: ReadonlySet<string>, lease: AbortSignal): Audience {
  const present = new Set(waiters)
  const stoppable = waiters.some((waiter) => !isCaller(waiter) || waiter.owns)
  const linked = linkAbort(lease)
  let start: RunEvent | undefined
  const stopIfAllLeft = (): boolean => {
    const isLast = stoppable && [...present].every(({ signal }) => signal.aborted)
    if (isLast) linked.abort([...present].at(-1)?.signal.reason)
    return isLast
  }
  // They may have left while it was being made.
  stopIfAllLeft()

  return {
    signal: linked.signal,
    inputs,
    has: (waiter) => present.has(waiter),
    join(waiter) {
      present.add(waiter)
      if (start) waiter.emit(start)
    },
    leave(waiter) {
      if (stopIfAllLeft()) return false
      present.delete(waiter)
      return true
    },
    emit(event) {
      if (event.type === 'run-start') start = event
      for (const waiter of present) waiter.emit(event)
    },
    stop: linked.abort,
    [Symbol.dispose]: () => linked[Symbol.dispose](),
  }
}
