import { linkAbort, onAbort } from '../abort.ts'
import { isOrraError } from '../errors.ts'
import type { LiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { RunEvent, RunResult } from '../run-event.ts'
import type { InputEntry } from '../store/entry.ts'
import type { WhenBusy } from './accept-input.ts'
import { admitted } from './admit-input.ts'
import type { Audience } from './audience.ts'
import { sayLive } from './live-notice.ts'
import { withdrawn } from './recorded-result.ts'
import { beforeAppend, type Services } from './run-scope.ts'
import { type Caller, isCaller, type Resumer, type Waiter, type WaitingRoom } from './waiting-room.ts'

type Emit = (event: RunEvent) => void

/** How somebody comes to wait in a session, and leaves. */
export interface Reception {
  /** Accepts a message and answers it. Rejects with what made its run fail. */
  answer(entry: InputEntry, whenBusy: WhenBusy, signal: AbortSignal, emit: Emit): Promise<RunResult>
  /** Finishes what the log leaves open; `once`: one run, unless another process works in the session. Resolves to the last result, or `undefined` when there was none. */
  resume(signal: AbortSignal, emit: Emit, once?: boolean): Promise<RunResult | undefined>
  /** Somebody's signal has aborted. */
  leave(waiter: Waiter): void
  /** It is writing to the log, as no run does. */
  readonly writes: boolean
  /** Resolves once what it is writing now is written. */
  written(): Promise<unknown>
}

/** What it must know of the work that is waited for, and tell it. */
export interface Work {
  readonly namespace: Namespace
  readonly services: Services
  readonly closing: AbortSignal
  readonly log: LiveLog
  readonly room: WaitingRoom
  /** Of the current run. */
  audience(): Audience | undefined
  /** Somebody waits. */
  wake(): void
  /** Somebody has left. */
  left(): void
  /** The inbox is not what it was. */
  changed(): void
}

export function openReception(work: Work): Reception {
  const { namespace, services, closing, log, room, wake, changed } = work
  const writing = new Set<Promise<unknown>>()

  /** The last to leave the current run gets that run's end; all others may go at once. */
  function leave(waiter: Waiter): void {
    const audience = work.audience()
    if (audience?.has(waiter) && !audience.leave(waiter)) return
    if (!room.remove(waiter)) return
    work.left()
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
    sayLive(services.notices, namespace, { type: 'changed' })
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
    const { metadata } = log.conversation
    const message = await beforeAppend(services.hooks, { namespace, metadata, signal }, entry.message)
    const ifIdle = whenBusy === 'reject'
    let caller: Caller | undefined
    try {
      const accepted = await admitted(services, namespace, entry, signal, (ifKnown) =>
        log.accept({ ...entry, message }, { signal, ifIdle, ifKnown }, ({ place, isNew }) => {
          // Nobody but the call that begins a sub-agent knows its key, even when it is made again.
          caller = { ...waiter, input: entry.key, place, owns: isNew || entry.spawnedBy !== undefined }
          room.add(caller)
          const audience = work.audience()
          if (audience?.inputs.has(entry.key)) audience.join(caller)
          return { caller, isNew }
        }),
      )
      changed()
      if (entry.whenBusy) sayLive(services.notices, namespace, { type: 'changed' })
      return accepted.caller
    } catch (error) {
      if (caller) room.remove(caller)
      throw error
    }
  }

  /** A session that is busy only because its process died is gone on with, for the sake of the next who asks. */
  async function revive(): Promise<void> {
    const { items } = await services.store.sessions.list({ within: namespace, pending: true, limit: 1 })
    if (items[0]?.namespace !== namespace.key || room.resumers.size > 0) return
    const nobody = { signal: new AbortController().signal, emit: () => {}, resolve: () => {}, reject: () => {} }
    room.add({ ...nobody, once: false, last: undefined })
    wake()
  }

  return {
    leave,

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

    get writes() {
      return writing.size > 0
    },

    written: () => Promise.allSettled(writing),
  }
}
