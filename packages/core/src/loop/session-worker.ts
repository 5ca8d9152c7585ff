import { randomUUID } from 'node:crypto'
import { linkAbort, onAbort, pause } from '../abort.ts'
import { isOrraError } from '../errors.ts'
import type { InputEntry } from '../log/entry.ts'
import { type KeptLease, keepLease, leaseLost } from '../log/keep-lease.ts'
import { openLiveLog } from '../log/live-log.ts'
import type { Lease } from '../log/store.ts'
import type { Namespace } from '../namespace.ts'
import { advance } from './advance.ts'
import type { RunEvent, RunResult } from './event.ts'
import { recordedResult, sessionDeleted, withdrawn } from './recorded-result.ts'
import { finishRun, startRun } from './run.ts'
import { beforeAppend, type RunScope, type Services } from './run-scope.ts'
import { type Caller, type Resumer, waitingRoom } from './waiting-room.ts'

type Emit = (event: RunEvent) => void

/**
 * All that one process does in one session: it takes the lease while somebody waits, answers the inbox in order, and
 * gives the lease back. Inputs older than the callers', and a run that a dead process left open, come first.
 */
export interface SessionWorker {
  /** Accepts a message and answers it. Rejects with what made its run fail. */
  answer(entry: InputEntry, signal: AbortSignal, emit: Emit): Promise<RunResult>
  /** Finishes what the log leaves open. Resolves to the last result, or `undefined` when there was nothing to do. */
  resume(signal: AbortSignal, emit: Emit): Promise<RunResult | undefined>
  /** Nobody waits and nothing is under way. */
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 500

/** `closing` ends all work at once and leaves the log as it is, for whoever claims the session next. */
export function openSessionWorker(namespace: Namespace, services: Services, closing: AbortSignal): SessionWorker {
  const { sessions } = services.store
  const owner = `${process.pid}-${randomUUID()}`
  const log = openLiveLog(namespace, sessions)
  const room = waitingRoom()
  /** Those for whom the current run runs; their abort is its abort. */
  let watchers: readonly (Caller | Resumer)[] = []
  let working: Promise<void> | undefined
  let nap = new AbortController()
  /** Writes to the log that no run makes. */
  const writing = new Set<Promise<unknown>>()

  function wake(): void {
    working ??= work().finally(() => {
      working = undefined
      if (!room.empty) wake()
    })
  }

  async function work(): Promise<void> {
    while (!room.empty) {
      let lease: Lease | undefined
      try {
        lease = await claim()
        if (lease) await drain(lease)
      } catch (error) {
        if (isOrraError(error, 'store.fenced')) await afterFence()
        else room.failAll(error)
      } finally {
        // A lease that cannot be given back runs out by itself.
        await lease?.release().catch(() => {})
      }
    }
  }

  /** Waits for the lease; `undefined` when nobody wants it any more. */
  async function claim(): Promise<Lease | undefined> {
    for (let pollMs = FIRST_POLL_MS; !room.empty; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
      closing.throwIfAborted()
      const lease = await sessions.claim(namespace, { owner, ttlMs: services.leaseTtlMs })
      if (lease) return lease
      if (pollMs === FIRST_POLL_MS) room.tellAll({ type: 'waiting' })
      nap = new AbortController()
      using either = linkAbort(nap.signal, closing)
      await pause(pollMs, either.signal)
    }
    return undefined
  }

  /** Another has the session now, and callers wait on, unless they have left; or it was deleted. */
  async function afterFence(): Promise<void> {
    await log.forget()
    for (const waiter of [...room.callers.values(), ...room.resumers]) if (waiter.signal.aborted) leave(waiter)
    const head = await sessions.head(namespace).catch((error: unknown) => room.failAll(error))
    if (!head) room.failAll(sessionDeleted(namespace))
  }

  async function drain(lease: Lease): Promise<void> {
    using kept = keepLease(lease, services.leaseTtlMs, closing)
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
    if ([...room.callers.values()].some(({ place }) => place.seq > length)) throw leaseLost(namespace)
  }

  /** Callers whose input somebody else has answered get what the log says. */
  async function settleAnswered(): Promise<void> {
    for (const caller of [...room.callers.values()]) {
      const { input, place, emit, resolve, reject } = caller
      const { inbox, run, length } = log.conversation
      if (place.sessionId !== log.sessionId) {
        room.remove(caller)
        reject(sessionDeleted(namespace))
      } else if (place.seq <= length && !inbox.has(input) && run?.input !== input) {
        room.remove(caller)
        await recordedResult(sessions, namespace, input, place.seq, emit).then(resolve, reject)
      }
    }
  }

  /** Begins the run of the oldest input. Only its own caller can take it back while it begins. */
  async function startNext(lease: KeptLease, input: string): Promise<void> {
    const entry = log.conversation.inbox.get(input)
    if (!entry) return
    const caller = room.callers.get(input)
    watchers = caller ? [caller] : []
    using stop = linkAbort(lease.signal, caller?.signal)
    try {
      const refused = await startRun(scopeOf(randomUUID(), lease, stop.signal), entry)
      if (refused) room.settle(input, refused)
    } catch (error) {
      // Somebody took it back at the same moment.
      if (!isOrraError(error, 'store.input-gone')) throw error
      await log.catchUp()
    } finally {
      watchers = []
    }
  }

  /** Brings the open run to its end, for its caller or, when it has none here, for whoever resumes. */
  async function finishOpen(lease: KeptLease): Promise<void> {
    const { run } = log.conversation
    if (!run) return
    const caller = room.callers.get(run.input)
    watchers = caller ? [caller] : [...room.resumers].filter(({ signal }) => !signal.aborted)
    using stop = linkAbort(lease.signal, ...watchers.map(({ signal }) => signal))
    try {
      room.settle(run.input, await finishRun(scopeOf(run.runId, lease, stop.signal)))
    } finally {
      watchers = []
    }
  }

  function scopeOf(runId: string, lease: KeptLease, signal: AbortSignal): RunScope {
    const told = watchers
    const emit: Emit = (event) => {
      for (const watcher of told) watcher.emit(event)
    }
    return { services, namespace, runId, log, lease, signal, emit }
  }

  /** Whoever is waiting for the current run gets that run's end; all others may go at once. */
  function leave(waiter: Caller | Resumer): void {
    if (watchers.includes(waiter) || !room.remove(waiter)) return
    if (room.empty) nap.abort()
    if (!('input' in waiter)) {
      waiter.resolve(undefined)
      return
    }
    const result = withdrawn()
    waiter.emit({ type: 'run-end', ...result })
    track(log.withdraw(waiter.input)).then(() => waiter.resolve(result), waiter.reject)
  }

  function track<T>(write: Promise<T>): Promise<T> {
    writing.add(write)
    const done = () => void writing.delete(write)
    write.then(done, done)
    return write
  }

  async function accept(entry: InputEntry, waiter: Omit<Caller, 'input' | 'place'>): Promise<Caller> {
    const { signal } = waiter
    const message = await beforeAppend(services.hooks, { namespace, signal }, entry.message)
    let caller: Caller | undefined
    try {
      await log.accept({ ...entry, message }, signal, (place) => {
        caller = { ...waiter, input: entry.key, place }
        room.addCaller(caller)
      })
    } catch (error) {
      if (caller) room.remove(caller)
      throw error
    }
    return caller as unknown as Caller
  }

  return {
    async answer(entry, signal, emit) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
      // It may be settled before anybody here gets to wait for it.
      promise.catch(() => {})
      let caller: Caller
      try {
        caller = await track(accept(entry, { signal, emit, resolve, reject }))
      } catch (error) {
        if (!signal.aborted || error !== signal.reason) throw error
        const result = withdrawn()
        emit({ type: 'run-end', ...result })
        return result
      }
      using _ = onAbort(signal, () => leave(caller))
      wake()
      return await promise
    },

    async resume(signal, emit) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult | undefined>()
      promise.catch(() => {})
      const resumer: Resumer = { signal, emit, resolve, reject, last: undefined }
      room.addResumer(resumer)
      using _ = onAbort(signal, () => leave(resumer))
      wake()
      return await promise
    },

    get idle() {
      return working === undefined && room.empty && writing.size === 0
    },

    async settled() {
      while (working || writing.size > 0) await Promise.allSettled([working, ...writing])
    },
  }
}
