import { isOrraError } from '../errors.ts'
import { emptyConversation } from '../log/conversation.ts'
import { type KeptLease, keepLease, leaseLost } from '../log/keep-lease.ts'
import { openLiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { Folded } from '../session/pin-message.ts'
import { canNotify } from '../store/notices.ts'
import type { Lease } from '../store/session-log.ts'
import { type Compactor, openCompactor } from './compactor.ts'
import { heedOthers } from './heed-others.ts'
import { openInboxWork, type Rest } from './inbox-work.ts'
import { openLeaseDesk } from './lease-desk.ts'
import { type LiveLine, openLiveLine } from './live-line.ts'
import { type LiveNotice, sayLive } from './live-notice.ts'
import { openReception, type Reception } from './reception.ts'
import { sessionDeleted } from './recorded-result.ts'
import type { RunChild, Services } from './run-scope.ts'
import { waitingRoom } from './waiting-room.ts'

/**
 * All that one process does in one session: it takes the lease while somebody waits, answers the inbox in order, and
 * gives the lease back. Inputs older than the callers', and a run that a dead process left open, come first.
 */
export interface SessionWorker extends Pick<Reception, 'answer' | 'resume'>, Pick<Compactor, 'compact'> {
  /** The session as it stands in the log now. */
  folded(signal: AbortSignal | undefined): Promise<Folded>
  /** Nobody wants what is being summed up any more. */
  endSummary(): void
  /** The session was deleted: what is under way fails at once. Resolves when it has. */
  abandon(): Promise<void>
  /** Nobody waits and nothing is under way. */
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

/** How often one who works looks for what others have written, where no store tells, in milliseconds. */
const LOOK_MS = 1000
/** How long one waits for policies that cannot be had before the next look, in milliseconds; longer each time. */
const UNREACHABLE_MS = { first: 50, longest: 5000 } as const

/** `closing` ends all work at once and leaves the log as it is, for whoever claims the session next. */
export function openSessionWorker(
  namespace: Namespace,
  services: Services,
  closing: AbortSignal,
  runChild: RunChild,
): SessionWorker {
  const { sessions } = services.store
  const room = waitingRoom()
  const desk = openLeaseDesk(namespace, services, closing)
  let line: LiveLine | undefined
  const log = openLiveLog(namespace, sessions, () => line?.grown())
  const heed = heedOthers(log)
  /** Somebody has come or gone since the session was last looked at. */
  let stirred = false
  let unreachableMs: number = UNREACHABLE_MS.first
  let working: Promise<void> | undefined
  /** The lease, and the end of what is done under it. */
  let held: { readonly lease: KeptLease; readonly ended: Promise<void> } | undefined
  const reception = openReception({
    ...{ namespace, services, closing, log, room, wake },
    audience: () => heed.audience,
    changed: heed.look,
    left: () => room.empty && desk.wake(),
  })
  const compactor = openCompactor(namespace, services, log, closing)
  const inbox = openInboxWork({
    ...{ namespace, services, log, room, heed, compactor, runChild, lookForPlace },
    tell: (event) => line?.tell(event, log.conversation.written),
  })

  function stir(): void {
    stirred = true
    desk.wake()
  }

  function wake(): void {
    stir()
    working ??= work().finally(() => {
      working = undefined
      if (!room.empty) wake()
    })
  }

  async function work(): Promise<void> {
    using live = openLiveLine(namespace, services.notices, { heard, opened })
    line = live
    while (!room.empty) {
      let lease: Lease | undefined
      let rest: Rest | undefined
      stirred = false
      try {
        lease = await desk.take(() => !room.empty, elsewhere)
        if (lease) rest = await drain(lease)
      } catch (error) {
        if (isOrraError(error, 'store.fenced')) await afterFence()
        else room.failAll(error)
      } finally {
        if (lease) await desk.giveBack(lease)
      }
      if (rest !== 'crowded') services.crowd.leave(namespace)
      if (rest !== 'unreachable') unreachableMs = UNREACHABLE_MS.first
      if (rest && !room.empty) await sitOut(rest)
    }
    line = undefined
  }

  /** Until there may be something to do again for those who wait. */
  async function sitOut(rest: Rest): Promise<void> {
    room.tellWaiting()
    try {
      if (rest === 'unreachable') {
        if (!stirred) await desk.rest(unreachableMs)
        unreachableMs = Math.min(unreachableMs * 2, UNREACHABLE_MS.longest)
        return
      }
      while (!stirred && !room.empty) {
        if (await mayGoOn(rest)) return
        if (!stirred) await desk.rest(LOOK_MS)
      }
    } catch (error) {
      room.failAll(error)
    } finally {
      // All have left who waited for its turn.
      if (room.empty) services.crowd.leave(namespace)
    }
  }

  async function mayGoOn(rest: 'suspended' | 'crowded'): Promise<boolean> {
    const head = await sessions.head(namespace)
    if (!head) throw sessionDeleted(namespace)
    if (rest === 'crowded') {
      await log.catchUp(head)
      await inbox.settleAnswered()
      return services.crowd.ahead(namespace) === undefined
    }
    const { suspended, approvals = [] } = head.openRun ?? {}
    return !suspended || approvals.some(({ expiresAt }) => expiresAt <= Date.now())
  }

  /** For a place among runs, which there may be now. */
  function lookForPlace(): boolean {
    if (!room.empty) stir()
    return !room.empty
  }

  function say(notice: LiveNotice): void {
    sayLive(services.notices, namespace, notice)
  }

  function opened(): void {
    say({ type: 'working' })
    // What was said before is to be looked up.
    if (held) look()
  }

  function heard(notice: LiveNotice): void {
    desk.heard(notice)
    if (notice.type === 'changed' && held) look()
  }

  /** Reads what others have appended, so that what was withdrawn need not come to its next step. */
  function look(): void {
    log.catchUp().then(heed.look, () => {})
  }

  /** Another works in the session, and may have answered what is waited for here. */
  async function elsewhere(isFirst: boolean): Promise<void> {
    services.crowd.leave(namespace)
    room.dismissCasual()
    if (isFirst) room.tellAll({ type: 'waiting' })
    const head = await sessions.head(namespace)
    if (!head) throw sessionDeleted(namespace)
    await log.catchUp(head)
    await inbox.settleAnswered()
  }

  /** Whether there is a session; then it is folded as far as it goes. */
  async function isThere(signal: AbortSignal | undefined): Promise<boolean> {
    const head = await sessions.head(namespace, { signal })
    if (head) await log.catchUp(head)
    return head !== undefined
  }

  /** Another has the session now, and callers wait on, unless they have left; or it was deleted. */
  async function afterFence(): Promise<void> {
    await log.forget()
    for (const waiter of [...room.callers, ...room.resumers]) if (waiter.signal.aborted) reception.leave(waiter)
    const head = await sessions.head(namespace).catch((error: unknown) => room.failAll(error))
    if (!head) room.failAll(sessionDeleted(namespace))
  }

  async function drain(lease: Lease): Promise<Rest | undefined> {
    using kept = keepLease(lease, services.leaseTtlMs, closing, look)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    held = { lease: kept, ended }
    const looking = canNotify(services.store) ? undefined : setInterval(look, LOOK_MS)
    try {
      return await inbox.drain(kept, lease.head)
    } finally {
      clearInterval(looking)
      held = undefined
      end()
    }
  }

  return {
    answer: reception.answer,

    async resume(signal, emit, once = false) {
      try {
        return await reception.resume(signal, emit, once)
      } finally {
        // Whoever asks for one run only looks at once what is left to do: by then the lease is given back.
        if (once && room.empty) await working
      }
    },

    compact: compactor.compact,

    async folded(signal) {
      return (await isThere(signal)) ? log : { sessionId: undefined, conversation: emptyConversation() }
    },

    endSummary: () => compactor.abandon(sessionDeleted(namespace)),

    async abandon() {
      compactor.abandon(leaseLost(namespace))
      held?.lease.lose(leaseLost(namespace))
      await Promise.all([held?.ended, compactor.settled()])
    },

    get idle() {
      return working === undefined && room.empty && !reception.writes && compactor.idle
    },

    async settled() {
      while (working || reception.writes || !compactor.idle) {
        await Promise.allSettled([working, reception.written(), compactor.settled()])
      }
    },
  }
}
