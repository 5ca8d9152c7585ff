import { linkAbort, untilAborted } from './abort.ts'
import { decideCall } from './approval/decide.ts'
import { forgetRequests, refuseExpired, waitingRequests } from './approval/waiting-list.ts'
import { readUsage } from './budget/read-usage.ts'
import { OrraError } from './errors.ts'
import { explain } from './gate/explain.ts'
import { submitInput } from './loop/accept-input.ts'
import { eventStream } from './loop/event-stream.ts'
import { sayLive } from './loop/live-notice.ts'
import { preview } from './loop/preview.ts'
import { recover } from './loop/recover.ts'
import type { RunChild } from './loop/run-scope.ts'
import { openSessionWorker, type SessionWorker } from './loop/session-worker.ts'
import type { UserInput } from './message.ts'
import { Namespace, requireNamespace } from './namespace.ts'
import { checkSignal } from './options.ts'
import { typedAnswer } from './output.ts'
import type { RunEvent, RunResult } from './run-event.ts'
import { checkPreview, checkRecover, checkResume, type RunOptions, toAcceptable } from './run-options.ts'
import type { Runtime } from './runtime.ts'
import type { Infer, Schema } from './schema.ts'
import { createServices, type RuntimeOptions } from './services.ts'
import { eraseUnder, exportUnder } from './session/everything-under.ts'
import { openSession, type Session } from './session/session.ts'
import { canNotify } from './store/notices.ts'
import { isBusy } from './store/session-head.ts'

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
  const { services, plugins } = createServices(options)
  const workers = new Map<string, SessionWorker>()
  const closing = new AbortController()
  let submitted = new AbortController()
  let isReady = false

  /** Whatever comes first starts the plugins; once they have, nothing is waited for. */
  async function begin(signal?: AbortSignal): Promise<void> {
    closing.signal.throwIfAborted()
    if (isReady) return
    const starting = plugins.start({ runtime, signal: closing.signal })
    await (signal ? untilAborted(starting, signal) : starting)
    isReady = true
  }

  function hasWork(): void {
    submitted.abort()
    submitted = new AbortController()
  }

  const runChild: RunChild = async ({ namespace, entry, metadata, signal }, emit) => {
    const session = sessionOf(namespace)
    const isNew = (await session.head({ signal })) === undefined
    if (isNew && Object.keys(metadata).length > 0) await session.setMetadata(metadata, { signal })
    return workerOf(namespace).answer(entry, 'queue', signal, emit)
  }

  function sessionOf(namespace: Namespace): Session {
    const { store, notices } = services
    const pollMs = canNotify(store) ? WATCH_POLL_MS.told : WATCH_POLL_MS.untold
    return openSession({
      ...{ namespace, sessions: store.sessions, notices, pollMs, closing: closing.signal, context: services.context },
      folded: (signal) => workerOf(namespace).folded(signal),
      async deleted(signal) {
        workers.get(namespace.key)?.endSummary()
        await forgetRequests(store, namespace, signal)
      },
    })
  }

  function workerOf(namespace: Namespace): SessionWorker {
    const known = workers.get(namespace.key)
    const worker = known ?? openSessionWorker(namespace, services, closing.signal, runChild)
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
    const { entry, whenBusy, signal, answer: asked } = toAcceptable(services, 'a run', input, options)
    using linked = linkAbort(signal, left)
    // Who has left by then gets the end of a run like anybody who leaves.
    await begin(linked.signal).catch((error: unknown) => {
      if (!linked.signal.aborted) throw error
    })
    if (!asked) return await workerOf(namespace).answer(entry, whenBusy, linked.signal, emit)
    // Its end is told once the answer is known to be what was asked for.
    const untilEnd = (event: RunEvent) => event.type !== 'run-end' && emit(event)
    const result = await workerOf(namespace).answer(entry, whenBusy, linked.signal, untilEnd)
    using checking = linkAbort(linked.signal, closing.signal)
    const whole =
      result.reason === 'completed'
        ? { ...result, output: await untilAborted(typedAnswer(asked, result.text), checking.signal) }
        : result
    emit({ type: 'run-end', ...whole })
    return whole
  }

  const runtime: Runtime = {
    run: <Output extends Schema>(namespace: Namespace, input: UserInput, options: RunOptions<Output> = {}) =>
      // What passes the schema is of its type.
      answer(namespace, input, options, undefined, () => {}) as Promise<RunResult<Infer<Output>>>,

    stream: (namespace, input, options = {}) =>
      eventStream((emit, left) => answer(namespace, input, options, left, emit)),

    async resume(namespace, options = {}) {
      requireNamespace(namespace)
      checkResume(options)
      const { signal, onEvent } = options
      await begin(signal)
      const head = await services.store.sessions.head(namespace, { signal })
      if (!head || !isBusy(head)) return undefined
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
      await begin(signal)
      using linked = linkAbort(signal, closing.signal)
      await submitInput(services, namespace, entry, whenBusy, linked.signal)
      hasWork()
      return entry.key
    },

    async recover(options = {}) {
      checkRecover(options)
      await begin(options.signal)
      const { signal } = new AbortController()
      await recover(
        {
          sessions: services.store.sessions,
          refuseExpired: (until, failed) => refuseExpired(services.store, options.within, until, failed),
          resumeOnce: (namespace) => workerOf(namespace).resume(signal, () => {}, true),
          crowd: services.crowd,
          closing: closing.signal,
          submitted: () => submitted.signal,
        },
        options,
      )
    },

    approvals: (within, options = {}) => waitingRequests(services.store, requireNamespace(within), options),

    async decide(namespace, callId, decision) {
      requireNamespace(namespace)
      closing.signal.throwIfAborted()
      const stirred = await decideCall(services.store, namespace, callId, decision)
      for (const session of stirred) sayLive(services.notices, session, { type: 'changed' })
      hasWork()
    },

    async explain(namespace, action, { signal } = {}) {
      const rules = await services.gate.at(requireNamespace(namespace), signal)
      return explain(rules, action, action?.type === 'tool' ? services.tools.get(action.name) : undefined)
    },

    async preview(namespace, options = {}) {
      requireNamespace(namespace)
      const { input, settings, signal } = checkPreview(services, options)
      using linked = linkAbort(signal, closing.signal)
      const { conversation } = await workerOf(namespace).folded(linked.signal)
      return preview(services, { namespace, conversation, input, settings, signal: linked.signal })
    },

    async compact(namespace, { signal } = {}) {
      requireNamespace(namespace)
      checkSignal(signal)
      await begin(signal)
      using linked = linkAbort(signal, closing.signal)
      const compaction = await workerOf(namespace).compact(linked.signal, true)
      if (!compaction) return undefined
      return { summary: compaction.summary, turns: compaction.turns }
    },

    usage: async (within, window, { signal } = {}) =>
      readUsage(services.store.records, requireNamespace(within), window, { signal }),

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

    start: () => begin(),

    async serve({ signal } = {}) {
      checkSignal(signal)
      await begin(signal)
      using linked = linkAbort(signal, closing.signal)
      const serving = plugins.channels.map(async (channel) => channel.serve(runtime, { signal: linked.signal }))
      try {
        await Promise.all(serving)
      } finally {
        linked.abort()
        await Promise.allSettled(serving)
      }
    },

    async close() {
      closing.abort(new OrraError('runtime.closed', 'This runtime was closed; make another one.', { details: {} }))
      try {
        await Promise.all(Array.from(workers.values(), (worker) => worker.settled()))
      } finally {
        await plugins.stop()
      }
    },

    async [Symbol.asyncDispose]() {
      await runtime.close()
    },
  }
  return runtime
}
