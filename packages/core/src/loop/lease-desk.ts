import { randomUUID } from 'node:crypto'
import { linkAbort, pause } from '../abort.ts'
import type { Namespace } from '../namespace.ts'
import type { Lease } from '../store/session-log.ts'
import { type LiveNotice, sayLive } from './live-notice.ts'
import type { Services } from './run-scope.ts'

/** Where a session's lease is waited for, and given back to whoever waits elsewhere. */
export interface LeaseDesk {
  /** `undefined` once `isWanted` says no. `waits` is called whenever another has it. Throws what that throws, and why the runtime closes. */
  take(isWanted: () => boolean, waits: (isFirst: boolean) => Promise<void>): Promise<Lease | undefined>
  giveBack(lease: Lease): Promise<void>
  /** A moment, until `wake`, or until others say that something has changed. Throws why the runtime closes. */
  rest(ms: number): Promise<void>
  heard(notice: LiveNotice): void
  /** Looks again at once. */
  wake(): void
}

const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 500

export function openLeaseDesk(
  namespace: Namespace,
  { store, notices, leaseTtlMs }: Services,
  closing: AbortSignal,
): LeaseDesk {
  const owner = `${process.pid}-${randomUUID()}`
  let nap = new AbortController()
  /** Somebody elsewhere waits for the lease. */
  let awaited = false

  return {
    async take(isWanted, waits) {
      for (let pollMs = FIRST_POLL_MS; isWanted(); pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
        closing.throwIfAborted()
        // From here on a lease that is released ends the nap before it begins.
        nap = new AbortController()
        const lease = await store.sessions.claim(namespace, { owner, ttlMs: leaseTtlMs })
        if (lease) return lease
        await waits(pollMs === FIRST_POLL_MS)
        if (!isWanted()) break
        sayLive(notices, namespace, { type: 'waiting' })
        using either = linkAbort(nap.signal, closing)
        await pause(pollMs, either.signal)
      }
      return undefined
    },

    async giveBack(lease) {
      // One that cannot be given back runs out by itself.
      await lease.release().catch(() => {})
      if (awaited) sayLive(notices, namespace, { type: 'released' })
      awaited = false
    },

    async rest(ms) {
      nap = new AbortController()
      using either = linkAbort(nap.signal, closing)
      await pause(ms, either.signal)
      closing.throwIfAborted()
    },

    heard({ type }) {
      if (type === 'waiting') awaited = true
      if (type === 'released' || type === 'changed') nap.abort()
    },

    wake: () => nap.abort(),
  }
}
