import { linkAbort } from './abort.ts'
import { OrraError } from './errors.ts'
import { submitInput } from './loop/accept-input.ts'
import type { RunEvent, RunResult } from './loop/event.ts'
import { eventStream } from './loop/event-stream.ts'
import { sayLive } from './loop/live-notice.ts'
import { type RecoverOptions, recover } from './loop/recover.ts'
import { openSessionWorker, type SessionWorker } from './loop/session-worker.ts'
import type { UserInput } from './message.ts'
import { Namespace, requireNamespace } from './namespace.ts'
import {
  checkRecover,
  checkResume,
  type ResumeOptions,
  type RunOptions,
  type SubmitOptions,
  toAcceptable,
} from './run-options.ts'
import { createServices, type RuntimeOptions } from './services.ts'
import { type EraseReceipt, eraseUnder, exportUnder } from './session/everything-under.ts'
import { openSession, type Session } from './session/session.ts'
import { canNotify } from './store/notices.ts'
import type { StoreOptions } from './store/page.ts'
import { isPending } from './store/session-head.ts'

/** Serves any number of users at once; each namespace is a session of its own, and one message at a time is answered in it. */
export interface Runtime extends AsyncDisposable {
  /**
   * Answers a message; the same as draining `stream`. With a `key` that was accepted before, it waits for that message's
   * answer, or returns the one there is. Throws what made the run fail, and `session.busy` where that is asked for.
   */
  run(namespace: Namespace, input: UserInput, options?: RunOptions): Promise<RunResult>
  /**
   * Answers a message and tells of it while it happens, from the first `next` on. Leaving the loop stops the run. Throws
   * what made the run fail, after everything that happened before was yielded.
   */
  stream(namespace: Namespace, input: UserInput, options?: RunOptions): AsyncIterable<RunEvent>
  /**
   * Accepts a message, durably, and resolves to its key. It is answered by whichever process recovers, or next runs or
   * resumes something in this session. Throws `session.busy` where that is asked for.
   */
  submit(namespace: Namespace, input: UserInput, options?: SubmitOptions): Promise<string>
  /**
   * Finishes what the session's log leaves open after a crash. The next `run` does so, too; this is for those who do
   * not want to wait for one. Resolves to the last result, or `undefined` when nothing was open; throws what made the
   * last run fail.
   */
  resume(namespace: Namespace, options?: ResumeOptions): Promise<RunResult | undefined>
  /**
   * Does, for as long as this process is to do it, the work that nobody does: messages that were submitted, and runs whose
   * process died. Any number of processes may. Resolves once its signal aborts; throws `runtime.closed`.
   */
  recover(options?: RecoverOptions): Promise<void>
  session(namespace: Namespace): Session
  /** Everything that the store has of a namespace and of all below it, as JSON Lines: sessions, records, counters. */
  export(within: Namespace, options?: StoreOptions): AsyncIterable<string>
  /**
   * Removes all of it, whatever is being done there. A tool that was running in another process may still write something
   * afterwards, if it does not heed its signal.
   */
  erase(within: Namespace, options?: StoreOptions): Promise<EraseReceipt>
  /** Stops all work at once. Runs stay open in their logs and are gone on with when their session is next claimed. */
  close(): Promise<void>
}

/** Sessions whose fold is kept in memory while nobody uses them. */
const MAX_IDLE_WORKERS = 1000

/** How often a watcher looks although nobody told it to, in milliseconds: where other processes can tell, and where not. */
const WATCH_POLL_MS = { told: 5000, untold: 500 }

/**
 * The only constructor most applications need. Throws `options.invalid`, `tool.invalid`, `tool.duplicate` and
 * `policy.invalid` at once, so that nothing wrong in the options waits for the first user to find it.
 *
 * @example
 * const orra = createRuntime({ provider: anthropic({ model: 'claude-sonnet-5' }), instructions: 'You are helpful.' })
 * const { text } = await orra.run(Namespace.of('user', 'bob'), 'Hello!')
 */
export function createRuntime(options: RuntimeOptions): Runtime {
  const services = createServices(options)
  const workers = new Map<string, SessionWorker>()
  const closing = new AbortController()
  let submitted = new AbortController()

  function sessionOf(namespace: Namespace): Session {
    const { store, notices } = services
    const pollMs = canNotify(store) ? WATCH_POLL_MS.told : WATCH_POLL_MS.untold
    return openSession({ namespace, sessions: store.sessions, notices, pollMs, closing: closing.signal })
  }

  function workerOf(namespace: Namespace): SessionWorker {
    const known = workers.get(namespace.key)
    const worker = known ?? openSessionWorker(namespace, services, closing.signal)
    // The map's order is that of their last use.
    if (known) workers.delete(namespace.key)
    workers.set(namespace.key, worker)
    if (workers.size > MAX_IDLE_WORKERS) dropIdle(worker)
    return worker
  }

  function dropIdle(needed: SessionWorker): void {
    for (const [key, worker] of workers) {
      if (workers.size <= MAX_IDLE_WORKERS) return
      if (worker.idle && worker !== needed) workers.delete(key)
    }
  }

  async function answer(
    namespace: Namespace,
    input: UserInput,
    options: RunOptions,
    left: AbortSignal | undefined,
    emit: (event: RunEvent) => void,
  ): Promise<RunResult> {
    requireNamespace(namespace)
    closing.signal.throwIfAborted()
    const { entry, whenBusy, signal } = toAcceptable(services, 'a run', input, options)
    using linked = linkAbort(signal, left)
    return await workerOf(namespace).answer(entry, whenBusy, linked.signal, emit)
  }

  return {
    run: (namespace, input, options = {}) => answer(namespace, input, options, undefined, () => {}),

    stream: (namespace, input, options = {}) =>
      eventStream((emit, left) => answer(namespace, input, options, left, emit)),

    async resume(namespace, options = {}) {
      requireNamespace(namespace)
      checkResume(options)
      const { signal, onEvent } = options
      closing.signal.throwIfAborted()
      const head = await services.store.sessions.head(namespace, { signal })
      if (!head || !isPending(head)) return undefined
      using linked = linkAbort(signal)
      let thrown: { readonly error: unknown } | undefined
      const tell = (event: RunEvent) => {
        try {
          onEvent?.(event)
        } catch (error) {
          thrown ??= { error }
        }
      }
      const result = await workerOf(namespace).resume(linked.signal, tell)
      if (thrown) throw thrown.error
      return result
    },

    async submit(namespace, input, options = {}) {
      requireNamespace(namespace)
      closing.signal.throwIfAborted()
      const { entry, whenBusy, signal } = toAcceptable(services, 'submit', input, options)
      using linked = linkAbort(signal, closing.signal)
      await submitInput(services, namespace, entry, whenBusy, linked.signal)
      submitted.abort()
      submitted = new AbortController()
      return entry.key
    },

    async recover(options = {}) {
      checkRecover(options)
      closing.signal.throwIfAborted()
      const { signal } = new AbortController()
      await recover(
        {
          sessions: services.store.sessions,
          resumeOnce: (namespace) => workerOf(namespace).resume(signal, () => {}, true),
          closing: closing.signal,
          submitted: () => submitted.signal,
        },
        options,
      )
    },

    session: (namespace) => sessionOf(requireNamespace(namespace)),

    export(within, options = {}) {
      return exportUnder(
        services.store,
        requireNamespace(within),
        (namespace) => sessionOf(namespace).entries(options),
        options,
      )
    },

    async erase(within, options = {}) {
      requireNamespace(within)
      return eraseUnder(services.store, within, options, async (key) => {
        sayLive(services.notices, Namespace.parse(key), { type: 'changed' })
        // What is going on here ends now, so that it writes nothing more.
        await workers.get(key)?.abandon()
      })
    },

    async close() {
      closing.abort(new OrraError('runtime.closed', 'This runtime was closed; make another one.', { details: {} }))
      await Promise.all(Array.from(workers.values(), (worker) => worker.settled()))
    },

    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}
