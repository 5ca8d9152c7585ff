import { randomUUID } from 'node:crypto'
import { linkAbort, pause } from './abort.ts'
import { advance } from './advance.ts'
import type { InputEntry } from './entry.ts'
import { isOrraError } from './errors.ts'
import type { RunEvent, RunResult } from './event.ts'
import { keepLease } from './keep-lease.ts'
import { openLiveLog } from './live-log.ts'
import type { Namespace } from './namespace.ts'
import { NO_USAGE } from './provider.ts'
import { recordedResult } from './recorded-result.ts'
import { finishRun, type RunOutcome, startRun } from './run.ts'
import type { RunScope, Services } from './run-scope.ts'
import type { Lease } from './store.ts'

type Emit = (event: RunEvent) => void

/** Somebody in this process who waits for something of this session. */
interface Waiter<Result> {
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Waits until nothing is open; is told of every run that has no caller of its own. */
interface Resumer extends Waiter<RunResult | undefined> {
  last: RunResult | undefined
}

/**
 * All that one process does in one session: it takes the lease while somebody waits, answers the inbox in order, and
 * gives the lease back. Inputs older than the callers', and a run that a dead process left open, come first.
 */
export interface SessionWorker {
  /** Accepts a message and answers it. Rejects with what made its run fail. */
  answer(entry: InputEntry, signal: AbortSignal, emit: Emit): Promise<RunResult>
  /** Finishes what the log leaves open. Resolves to the last result, or `undefined` when there was nothing to do. */
  resume(signal: AbortSignal, emit: Emit): Promise<RunResult | undefined>
  /** Throws away what is cached of the log. */
  forget(): void
  /** Nobody waits and nothing runs. */
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 500

/** `closing` ends all work at once and leaves the log as it is, for whoever claims the session next. */
export function openSessionWorker(namespace: Namespace, services: Services, closing: AbortSignal): SessionWorker {
  const { store, hooks, leaseTtlMs } = services
  const owner = `${process.pid}-${randomUUID()}`
  const log = openLiveLog(namespace, store.sessions, hooks)
  /** By the `seq` of their input. */
  const callers = new Map<number, Waiter<RunResult>>()
  const resumers = new Set<Resumer>()
  let working: Promise<void> | undefined
  let current: number | undefined
  let nap: AbortController | undefined

  const wanted = () => callers.size > 0 || resumers.size > 0

  function wake(): void {
    working ??= work().finally(() => {
      working = undefined
      if (wanted()) wake()
    })
  }

  async function work(): Promise<void> {
    while (wanted()) {
      let lease: Lease | undefined
      try {
        lease = await claim()
        if (lease) await drain(lease)
      } catch (error) {
        if (isOrraError(error, 'store.fenced')) await afterFence(error)
        else failAll(error)
      } finally {
        // A lease that cannot be given back runs out by itself.
        await lease?.release().catch(() => {})
      }
    }
  }

  /** Another has the session now, and callers wait on; or it was deleted, and there is nothing to wait for. */
  async function afterFence(fenced: unknown): Promise<void> {
    log.forget()
    const head = await store.sessions.head(namespace).catch(failAll)
    if (!head) failAll(fenced)
  }

  /** Waits for the lease; `undefined` when nobody wants it any more. */
  async function claim(): Promise<Lease | undefined> {
    for (let pollMs = FIRST_POLL_MS; wanted(); pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
      closing.throwIfAborted()
      const lease = await store.sessions.claim(namespace, { owner, ttlMs: leaseTtlMs })
      if (lease) return lease
      if (pollMs === FIRST_POLL_MS) for (const { emit } of [...callers.values(), ...resumers]) emit({ type: 'waiting' })
      nap = new AbortController()
      using either = linkAbort(nap.signal, closing)
      await pause(pollMs, either.signal)
    }
    return undefined
  }

  async function drain(lease: Lease): Promise<void> {
    using kept = keepLease(lease, leaseTtlMs, closing)
    await log.catchUp()
    while (wanted()) {
      closing.throwIfAborted()
      await settleAnswered()
      const step = advance(log.conversation)
      if (step.type === 'rest') {
        for (const resumer of resumers) resumer.resolve(resumer.last)
        resumers.clear()
      } else {
        await answerNext(lease, step.type === 'start-run' ? step.input : undefined, kept.signal)
      }
    }
  }

  /** Callers whose input somebody else has answered get what the log says. */
  async function settleAnswered(): Promise<void> {
    for (const [input, caller] of callers) {
      const { inbox, run } = log.conversation
      if (inbox.has(input) || run?.input === input) continue
      callers.delete(input)
      await recordedResult(store.sessions, namespace, input, caller.emit).then(caller.resolve, caller.reject)
    }
  }

  /** Runs `next`, or goes on with the run that is open. */
  async function answerNext(lease: Lease, next: number | undefined, kept: AbortSignal): Promise<void> {
    const open = log.conversation.run
    const input = next ?? open?.input
    if (input === undefined) return
    const caller = callers.get(input)
    const watchers = caller ? [caller] : [...resumers]
    using linked = linkAbort(kept, ...watchers.map((watcher) => watcher.signal))
    const scope: RunScope = {
      services,
      namespace,
      runId: open?.runId ?? randomUUID(),
      epoch: lease.epoch,
      log,
      signal: linked.signal,
      emit: (event) => {
        for (const watcher of watchers) watcher.emit(event)
      },
    }
    current = input
    try {
      const refused = open ? undefined : await startRun(scope, input)
      settle(input, refused ?? (await finishRun(scope)))
    } catch (error) {
      // Its caller took it back at the same moment.
      if (!isOrraError(error, 'store.input-gone')) throw error
      await log.catchUp()
    } finally {
      current = undefined
    }
  }

  function settle(input: number, outcome: RunOutcome): void {
    const caller = callers.get(input)
    callers.delete(input)
    if ('error' in outcome) {
      caller?.reject(outcome.error)
      return
    }
    caller?.resolve(outcome.result)
    for (const resumer of resumers) resumer.last = outcome.result
  }

  function failAll(error: unknown): void {
    for (const waiter of [...callers.values(), ...resumers]) waiter.reject(error)
    callers.clear()
    resumers.clear()
  }

  /** A caller has left before its input's turn came. */
  function withdraw(input: number): void {
    const caller = callers.get(input)
    if (!caller || current === input) return
    callers.delete(input)
    if (!wanted()) nap?.abort()
    const result = { reason: 'aborted', text: '', usage: NO_USAGE } as const
    caller.emit({ type: 'run-end', ...result })
    log.withdraw(input).then(() => caller.resolve(result), caller.reject)
  }

  return {
    async answer(entry, signal, emit) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
      const input = await log.accept(entry, signal, (seq) => callers.set(seq, { signal, emit, resolve, reject }))
      const leave = () => withdraw(input)
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      wake()
      return promise.finally(() => signal.removeEventListener('abort', leave))
    },

    async resume(signal, emit) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult | undefined>()
      const resumer: Resumer = { signal, emit, resolve, reject, last: undefined }
      const leave = () => {
        // While a run of its is being stopped, that run's end is the answer.
        if (current !== undefined || !resumers.delete(resumer)) return
        if (!wanted()) nap?.abort()
        resolve(undefined)
      }
      resumers.add(resumer)
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      wake()
      return promise.finally(() => signal.removeEventListener('abort', leave))
    },

    forget: () => log.forget(),

    get idle() {
      return working === undefined && !wanted()
    },

    async settled() {
      while (working) await working
    },
  }
}
