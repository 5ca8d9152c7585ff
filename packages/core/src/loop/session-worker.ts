import { randomUUID } from 'node:crypto'
import { type LinkedAbort, linkAbort, onAbort } from '../abort.ts'
import { isOrraError } from '../errors.ts'
import { type KeptLease, keepLease, leaseLost } from '../log/keep-lease.ts'
import { openLiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { InputEntry } from '../store/entry.ts'
import type { Lease } from '../store/session-log.ts'
import type { WhenBusy } from './accept-input.ts'
import { advance } from './advance.ts'
import { type Audience, openAudience } from './audience.ts'
import type { RunEvent, RunOutcome, RunResult } from './event.ts'
import { openLeaseDesk } from './lease-desk.ts'
import { type LiveLine, openLiveLine } from './live-line.ts'
import { type LiveNotice, sayLive } from './live-notice.ts'
import { recordedResult, sessionDeleted, withdrawn } from './recorded-result.ts'
import { finishRun, startRun } from './run.ts'
import { beforeAppend, type RunScope, type Services } from './run-scope.ts'
import { type Caller, isCaller, type Resumer, type Waiter, waitingRoom } from './waiting-room.ts'

type Emit = (event: RunEvent) => void

/**
 * All that one process does in one session: it takes the lease while somebody waits, answers the inbox in order, and
 * gives the lease back. Inputs older than the callers', and a run that a dead process left open, come first.
 */
export interface SessionWorker {
  /** Accepts a message and answers it. Rejects with what made its run fail. */
  answer(entry: InputEntry, whenBusy: WhenBusy, signal: AbortSignal, emit: Emit): Promise<RunResult>
  /** Finishes what the log leaves open; `once`: one run, unless another process works in the session. Resolves to the last result, or `undefined` when there was none. */
  resume(signal: AbortSignal, emit: Emit, once?: boolean): Promise<RunResult | undefined>
  /** The session was deleted: what is under way fails at once. Resolves when it has. */
  abandon(): Promise<void>
  /** Nobody waits and nothing is under way. */
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

/** `closing` ends all work at once and leaves the log as it is, for whoever claims the session next. */
export function openSessionWorker(namespace: Namespace, services: Services, closing: AbortSignal): SessionWorker {
  const { sessions } = services.store
  const room = waitingRoom()
  const desk = openLeaseDesk(namespace, services, closing)
  let line: LiveLine | undefined
  const log = openLiveLog(namespace, sessions, () => line?.grown())
  /** Those for whom the current run runs. */
  let audience: Audience | undefined
  /** The input whose run is about to begin. */
  let starting: string | undefined
  /** The input that is about to join the current run. */
  let joining: { readonly input: string; readonly waiting: LinkedAbort } | undefined
  let working: Promise<void> | undefined
  /** The lease, and the end of what is done under it. */
  let held: { readonly lease: KeptLease; readonly ended: Promise<void> } | undefined
  /** Writes to the log that no run makes. */
  const writing = new Set<Promise<unknown>>()

  function wake(): void {
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
      try {
        lease = await desk.take(() => !room.empty, elsewhere)
        if (lease) await drain(lease)
      } catch (error) {
        if (isOrraError(error, 'store.fenced')) await afterFence()
        else room.failAll(error)
      } finally {
        if (lease) await desk.giveBack(lease)
      }
    }
    line = undefined
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
    log.catchUp().then(heedWithdrawals, () => {})
  }

  function heedWithdrawals(): void {
    const { run, inbox } = log.conversation
    const isWithdrawn = run ? run.withdrawn : starting !== undefined && !inbox.has(starting)
    if (isWithdrawn) audience?.stop(withdrawal())
    if (joining && !inbox.has(joining.input)) joining.waiting.abort(withdrawal())
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
    for (const waiter of [...room.callers, ...room.resumers]) if (waiter.signal.aborted) leave(waiter)
    const head = await sessions.head(namespace).catch((error: unknown) => room.failAll(error))
    if (!head) room.failAll(sessionDeleted(namespace))
  }

  async function drain(lease: Lease): Promise<void> {
    using kept = keepLease(lease, services.leaseTtlMs, closing, look)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    held = { lease: kept, ended }
    try {
      await drainUnder(kept, lease)
    } finally {
      held = undefined
      end()
    }
  }

  async function drainUnder(kept: KeptLease, lease: Lease): Promise<void> {
    await log.catchUp(lease.head)
    while (!room.empty) {
      kept.signal.throwIfAborted()
      await settleAnswered()
      const step = advance(log.conversation)
      if (step.type === 'rest') {
        room.settleResumers()
        if (!room.empty) await catchUpWithCallers()
      } else if (step.type === 'start-run') {
        await startNext(kept, step.input)
      } else {
        await finishOpen(kept)
      }
    }
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
    audience = those
    starting = input
    try {
      const refused = await startRun(scopeOf(randomUUID(), lease, those), entry)
      if (refused) room.settle(new Set([input]), refused)
    } catch (error) {
      // Somebody took it back at the same moment.
      if (!isOrraError(error, 'store.input-gone')) throw error
      await log.catchUp()
    } finally {
      audience = undefined
      starting = undefined
    }
  }

  /** Brings the open run to its end, for its callers and whoever resumes. */
  async function finishOpen(lease: KeptLease): Promise<void> {
    const { run } = log.conversation
    if (!run) return
    const callers = [...run.inputs].flatMap(room.callersOf)
    const resumers = [...room.resumers].filter(({ signal, once }) => !signal.aborted && !(once && callers.length > 0))
    using those = openAudience([...callers, ...resumers], run.inputs, lease.signal)
    audience = those
    try {
      const outcome = await finishRun(scopeOf(run.runId, lease, those))
      room.settle(run.inputs, outcome)
    } finally {
      audience = undefined
    }
  }

  function scopeOf(runId: string, lease: KeptLease, those: Audience): RunScope {
    const emit: Emit = (event) => {
      those.emit(event)
      line?.tell(event, log.conversation.written)
    }
    const inputJoined = (input: string) => room.callersOf(input).forEach(those.join)
    const untilWithdrawn = (input: string) => {
      const waiting = linkAbort(those.signal)
      joining = { input, waiting }
      return waiting
    }
    const { signal } = those
    return { services, namespace, runId, log, lease, signal, emit, untilWithdrawn, inputJoined, inputSettled }
  }

  function inputSettled(input: string, outcome: RunOutcome): void {
    if ('result' in outcome) {
      for (const { emit } of room.callersOf(input)) emit({ type: 'run-end', ...outcome.result })
    }
    room.settleCallers(new Set([input]), outcome)
  }

  /** The last to leave the current run gets that run's end; all others may go at once. */
  function leave(waiter: Waiter): void {
    if (audience?.has(waiter) && !audience.leave(waiter)) return
    if (!room.remove(waiter)) return
    if (room.empty) desk.wake()
    if (!isCaller(waiter)) {
      waiter.resolve(undefined)
      return
    }
    const result = withdrawn()
    waiter.emit({ type: 'run-end', ...result })
    const [heir] = room.callersOf(waiter.input)
    if (heir && waiter.owns) heir.owns = true
    const takenBack = waiter.owns && !heir ? track(withdraw(waiter.input)) : Promise.resolve()
    takenBack.then(() => waiter.resolve(result), waiter.reject)
  }

  async function withdraw(input: string): Promise<void> {
    await log.withdraw([input])
    say({ type: 'changed' })
  }

  function track<T>(write: Promise<T>): Promise<T> {
    writing.add(write)
    const done = () => void writing.delete(write)
    write.then(done, done)
    return write
  }

  async function accept(
    entry: InputEntry,
    whenBusy: WhenBusy,
    waiter: Omit<Caller, 'input' | 'place' | 'owns'>,
  ): Promise<Caller> {
    // Nothing that is only being accepted holds up the end of the runtime.
    using either = linkAbort(waiter.signal, closing)
    const { signal } = either
    const message = await beforeAppend(services.hooks, { namespace, signal }, entry.message)
    let caller: Caller | undefined
    try {
      const accepted = await log.accept(
        { ...entry, message },
        { signal, ifIdle: whenBusy === 'reject' },
        ({ place, isNew }) => {
          caller = { ...waiter, input: entry.key, place, owns: isNew }
          room.add(caller)
          if (audience?.inputs.has(entry.key)) audience.join(caller)
          return caller
        },
      )
      heedWithdrawals()
      if (entry.whenBusy) say({ type: 'changed' })
      return accepted
    } catch (error) {
      if (caller) room.remove(caller)
      throw error
    }
  }

  /** A session that is busy only because its process died is gone on with, for the sake of the next who asks. */
  async function revive(): Promise<void> {
    const { items } = await sessions.list({ within: namespace, pending: true, limit: 1 })
    if (items[0]?.namespace !== namespace.key || room.resumers.size > 0) return
    const nobody = { signal: new AbortController().signal, emit: () => {}, resolve: () => {}, reject: () => {} }
    room.add({ ...nobody, once: false, last: undefined })
    wake()
  }

  return {
    async answer(entry, whenBusy, signal, emit) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
      // It may be settled before anybody here gets to wait for it.
      promise.catch(() => {})
      let caller: Caller
      try {
        caller = await track(accept(entry, whenBusy, { signal, emit, resolve, reject }))
      } catch (error) {
        if (isOrraError(error, 'session.busy')) await track(revive()).catch(() => {})
        if (!signal.aborted || error !== signal.reason) throw error
        const result = withdrawn()
        emit({ type: 'run-end', ...result })
        return result
      }
      using _ = onAbort(signal, () => leave(caller))
      wake()
      return await promise
    },

    async resume(signal, emit, once = false) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult | undefined>()
      promise.catch(() => {})
      const resumer: Resumer = { signal, emit, resolve, reject, once, last: undefined }
      room.add(resumer)
      using _ = onAbort(signal, () => leave(resumer))
      wake()
      return await promise
    },

    async abandon() {
      held?.lease.lose(leaseLost(namespace))
      await held?.ended
    },

    get idle() {
      return working === undefined && room.empty && writing.size === 0
    },

    async settled() {
      while (working || writing.size > 0) await Promise.allSettled([working, ...writing])
    },
  }
}

function withdrawal(): DOMException {
  return new DOMException('The message was withdrawn.', 'AbortError')
}
