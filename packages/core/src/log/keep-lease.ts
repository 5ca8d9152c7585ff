import { linkAbort } from '../abort.ts'
import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Lease } from '../store/session-log.ts'

/** A lease that is being renewed, and whether it is still worth anything. */
export interface KeptLease extends Disposable {
  readonly epoch: number
  /**
   * Aborts when this process must leave the session as it is, for whoever claims it next: the lease is lost, the log
   * cannot be written, or the runtime closes. The reason says which.
   */
  readonly signal: AbortSignal
  /** Gives up: nothing more may be done under this lease. */
  lose(reason: unknown): void
}

/**
 * Renews a lease three times in its lifetime, until disposed; each time it calls `renewed`. Without an answer the lease
 * is lost when its time is over, as others take it to be.
 */
export function keepLease(lease: Lease, ttlMs: number, closing: AbortSignal, renewed: () => void): KeptLease {
  const lost = linkAbort(closing)
  const lose = () => lost.abort(leaseLost(lease.namespace))
  let end = setTimeout(lose, ttlMs)

  const beat = async () => {
    const askedAt = performance.now()
    // A store that cannot be reached for a moment has not taken the lease away yet.
    const isOurs = await lease.renew().catch(() => undefined)
    if (lost.signal.aborted || disposed) return
    if (isOurs === false) lose()
    if (!isOurs) return
    clearTimeout(end)
    // A process that stood still may learn too late that it had been its own.
    end = setTimeout(lose, Math.max(0, ttlMs - (performance.now() - askedAt)))
    renewed()
  }
  const beats = setInterval(beat, ttlMs / 3)
  let disposed = false

  return {
    epoch: lease.epoch,
    signal: lost.signal,
    lose: lost.abort,
    [Symbol.dispose]() {
      disposed = true
      clearInterval(beats)
      clearTimeout(end)
      lost[Symbol.dispose]()
    },
  }
}

/** What an append under it would say, where it is known without one. */
export function leaseLost({ key }: Namespace): OrraError<'store.fenced'> {
  const message = 'The lease of this session was lost while it ran; whoever has it now goes on.'
  return new OrraError('store.fenced', message, { details: { namespace: key } })
}
