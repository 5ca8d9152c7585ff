import { randomUUID } from 'node:crypto'
import { openUsageBook } from '../budget/usage-book.ts'
import { isOrraError } from '../errors.ts'
import { type KeptLease, keepLease, leaseLost } from '../log/keep-lease.ts'
import { openLiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { RunEvent, RunOutcome } from '../run-event.ts'
import { canNotify } from '../store/notices.ts'
import type { Lease } from '../store/session-log.ts'
import { advance, type Step } from './advance.ts'
import { type Audience, openAudience } from './audience.ts'
import { callerOf } from './caller.ts'
import { heedOthers } from './heed-others.ts'
import { openLeaseDesk } from './lease-desk.ts'
import { type LiveLine, openLiveLine } from './live-line.ts'
import { type LiveNotice, sayLive } from './live-notice.ts'
import { openReception, type Reception } from './reception.ts'
import { recordedResult, sessionDeleted } from './recorded-result.ts'
import { finishRun, startRun } from './run.ts'
import type { RunChild, RunScope, Services } from './run-scope.ts'
import { waitingRoom } from './waiting-room.ts'

type Emit = (event: RunEvent) => void

/**
 * All that one process does in one session: it takes the lease while somebody waits, answers the inbox in order, and
 * gives the lease back. Inputs older than the callers', and a run that a dead process left open, come first.
 */
export interface SessionWorker extends Pick<Reception, 'answer' | 'resume'> {
  /** The session was deleted: what is under way fails at once. Resolves when it has. */
  abandon(): Promise<void>
  /** Nobody waits and nothing is under way. */
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

/** How often one who works looks for what others have written, where no store tells, in milliseconds. */
const LOOK_MS = 1000
/** How long one waits for a place among runs before the next look, in milliseconds. */
const CROWDED_MS = 250

/** Why nothing can be done in a session for now, although somebody waits. */
type Rest = 'suspended' | 'crowded'

const NO_PLACE: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }

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
  let working: Promise<void> | undefined
  /** The lease, and the end of what is done under it. */
  let held: { readonly lease: KeptLease; readonly ended: Promise<void> } | undefined
  const reception = openReception({
    ...{ namespace, services, closing, log, room, wake },
    audience: () => heed.audience,
    changed: heed.look,
    left: () => room.empty && desk.wake(),
  })
  const usage = openUsageBook(namespace, services.store.records, usageOptions(services))

  function wake(): void {
    stirred = true
    desk.wake()
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
      if (rest && !room.empty) await sitOut(rest).catch(room.failAll)
    }
    line = undefined
  }

  /** Until there may be something to do again for those who wait. */
  async function sitOut(rest: Rest): Promise<void> {
    room.tellAll({ type: 'waiting' })
    if (rest === 'crowded') return desk.rest(CROWDED_MS)
    while (!stirred && !room.empty) {
      const head = await sessions.head(namespace)
      if (!head) throw sessionDeleted(namespace)
      const { suspended, approvals = [] } = head.openRun ?? {}
      if (!suspended || approvals.some(({ expiresAt }) => expiresAt <= Date.now())) return
      await desk.rest(LOOK_MS)
    }
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
    room.dismissCasual()
    if (isFirst) room.tellAll({ type: 'waiting' })
    const head = await sessions.head(namespace)
    if (!head) throw sessionDeleted(namespace)
    await log.catchUp(head)
    await settleAnswered()
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
      return await drainUnder(kept, lease)
    } finally {
      clearInterval(looking)
      held = undefined
      end()
    }
  }

  /** Answers what there is to answer. Returns why it cannot go on with what is left, when it cannot. */
  async function drainUnder(kept: KeptLease, lease: Lease): Promise<Rest | undefined> {
    await log.catchUp(lease.head)
    while (!room.empty) {
      kept.signal.throwIfAborted()
      await settleAnswered()
      const step = advance(log.conversation)
      if (step.type === 'rest') {
        room.settleResumers()
        if (!room.empty) await catchUpWithCallers()
        continue
      }
      const place = await placeFor(step, kept)
      if (!place) return 'crowded'
      await using _ = place
      if (step.type === 'start-run') await startNext(kept, step.input)
      if (log.conversation.run) await finishOpen(kept)
      if (log.conversation.run?.suspended) {
        room.settleResumers()
        return 'suspended'
      }
    }
    return undefined
  }

  /** A place among the runs that policies let work at the same time. A sub-agent works in the place of its caller. */
  async function placeFor(step: Step, { signal }: KeptLease): Promise<AsyncDisposable | undefined> {
    const { run, inbox } = log.conversation
    const next = run ?? (step.type === 'start-run' ? inbox.get(step.input) : undefined)
    if (callerOf(namespace, next)) return NO_PLACE
    const place = await services.meter.enter(namespace, await services.gate.at(namespace, signal), signal)
    if (!place) room.dismissCasual()
    return place
  }

  /** At rest, whoever is still here has an input that is not folded in yet; or it was deleted, and the lease with it. */
  async function catchUpWithCallers(): Promise<void> {
    await log.catchUp()
    const { length } = log.conversation
    if ([...room.callers].some(({ place }) => place.seq > length)) throw leaseLost(namespace)
  }

  /** Callers whose input somebody else has answered get what the log says. */
  async function settleAnswered(): Promise<void> {
    for (const caller of [...room.callers]) {
      const { input, place, emit, resolve, reject } = caller
      const { inbox, run, length } = log.conversation
      if (place.sessionId !== log.sessionId) {
        room.remove(caller)
        reject(sessionDeleted(namespace))
      } else if (place.seq <= length && !inbox.has(input) && !run?.inputs.has(input)) {
        room.remove(caller)
        await recordedResult(sessions, namespace, input, place.seq, emit).then(resolve, reject)
      }
    }
  }

  /** Begins the run of the oldest input. Only its own callers can take it back while it begins. */
  async function startNext(lease: KeptLease, input: string): Promise<void> {
    const entry = log.conversation.inbox.get(input)
    if (!entry) return
    using those = openAudience(room.callersOf(input), new Set([input]), lease.signal)
    using _ = heed.attend(those, input)
    try {
      const refused = await startRun(scopeOf(randomUUID(), lease, those), entry)
      if (refused) room.settle(new Set([input]), refused)
    } catch (error) {
      // Somebody took it back at the same moment.
      if (!isOrraError(error, 'store.input-gone')) throw error
      await log.catchUp()
    }
  }

  /** Brings the open run to its end, for its callers and whoever resumes. */
  async function finishOpen(lease: KeptLease): Promise<void> {
    const { run } = log.conversation
    if (!run) return
    const callers = [...run.inputs].flatMap(room.callersOf)
    const resumers = [...room.resumers].filter(({ signal, once }) => !signal.aborted && !(once && callers.length > 0))
    using those = openAudience([...callers, ...resumers], run.inputs, lease.signal)
    using _ = heed.attend(those)
    room.settle(run.inputs, await finishRun(scopeOf(run.runId, lease, those)))
  }

  function scopeOf(runId: string, lease: KeptLease, those: Audience): RunScope {
    const emit: Emit = (event) => {
      those.emit(event)
      line?.tell(event, log.conversation.written)
    }
    const inputJoined = (input: string) => room.callersOf(input).forEach(those.join)
    const { signal } = those
    return {
      ...{ services, namespace, runId, log, lease, signal, usage, runChild },
      ...{ emit, inputJoined, inputSettled },
      untilWithdrawn: heed.untilWithdrawn,
      untilDecided: heed.untilDecided,
    }
  }

  function inputSettled(input: string, outcome: RunOutcome): void {
    if ('result' in outcome) {
      for (const { emit } of room.callersOf(input)) emit({ type: 'run-end', ...outcome.result })
    }
    room.settleCallers(new Set([input]), outcome)
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

    async abandon() {
      held?.lease.lose(leaseLost(namespace))
      await held?.ended
    },

    get idle() {
      return working === undefined && room.empty && !reception.writes
    },

    async settled() {
      while (working || reception.writes) await Promise.allSettled([working, reception.written()])
    },
  }
}

function usageOptions({ provider, prices }: Services) {
  return { provider: provider.name, ...(prices ? { prices } : {}) }
}
