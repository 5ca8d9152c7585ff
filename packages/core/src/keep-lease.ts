import { linkAbort } from './abort.ts'
import { OrraError } from './errors.ts'
import type { Lease } from './store.ts'

export interface KeptLease extends Disposable {
  /** Aborts with `store.fenced` once the lease is lost, and with `closing`. */
  readonly signal: AbortSignal
}

/** Renews a lease three times in its lifetime, until disposed. */
export function keepLease(lease: Lease, ttlMs: number, closing: AbortSignal): KeptLease {
  const linked = linkAbort(closing)
  let renewedAt = performance.now()

  const beat = async () => {
    // A store that cannot be reached for a moment has not taken the lease away yet.
    const renewed = await lease.renew().catch(() => undefined)
    if (renewed) renewedAt = performance.now()
    else if (renewed === false || performance.now() - renewedAt >= ttlMs) linked.abort(lost(lease))
  }
  const timer = setInterval(beat, ttlMs / 3)

  return {
    signal: linked.signal,
    [Symbol.dispose]() {
      clearInterval(timer)
      linked[Symbol.dispose]()
    },
  }
}

function lost({ namespace }: Lease): OrraError<'store.fenced'> {
  const message = 'The lease of this session was lost while it ran; whoever has it now goes on.'
  return new OrraError('store.fenced', message, { details: { namespace: namespace.key } })
}
