import { randomUUID } from 'node:crypto'
import { linkAbort } from './abort.ts'
import { type ContextOptions, contextBudget, fixedTokens } from './context/fit-turns.ts'
import { OrraError } from './errors.ts'
import { createGate } from './gate/gate.ts'
import type { Policies } from './gate/policy.ts'
import type { Hooks } from './hooks.ts'
import type { RunSettings } from './log/entry.ts'
import { memoryStore } from './log/memory-store.ts'
import { openSession, type Session } from './log/session.ts'
import type { Store } from './log/store.ts'
import type { RunEvent, RunResult } from './loop/event.ts'
import { eventStream } from './loop/event-stream.ts'
import { createHookRunner } from './loop/hook-runner.ts'
import type { Instructions, Services } from './loop/run-scope.ts'
import { openSessionWorker, type SessionWorker } from './loop/session-worker.ts'
import { toUserMessage, type UserInput, type UserMessage } from './message.ts'
import { type Namespace, requireNamespace } from './namespace.ts'
import { checkOptions, invalidOption, type OptionNames } from './options.ts'
import type { Provider } from './provider.ts'
import { estimateTokens } from './token-estimate.ts'
import { LONGEST_TIMEOUT_MS, readyTools, type Tool } from './tool.ts'

export interface RuntimeOptions {
  readonly provider: Provider
  /** Not closed with the runtime; several may share one. @default a memory store */
  readonly store?: Store
  readonly tools?: readonly Tool[]
  /** What which namespaces may do. @default everything */
  readonly policies?: Policies
  readonly hooks?: readonly Hooks[]
  /** The system prompt. @default none */
  readonly instructions?: Instructions
  readonly context?: ContextOptions
  /** How many tools of one run may run at the same time. @default 8 */
  readonly maxParallelTools?: number
  /** How long a session waits for a process that died, in milliseconds. @default 15,000 */
  readonly leaseTtlMs?: number
}

export interface RunOptions extends RunSettings {
  /** Stops the run, or keeps it from beginning; the log stays valid and the result's reason is `aborted`. */
  readonly signal?: AbortSignal | undefined
}

export interface ResumeOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of every run that is gone on with. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** Serves any number of users at once; each namespace is a session of its own, and one message at a time is answered in it. */
export interface Runtime extends AsyncDisposable {
  /** Answers a message; the same as draining `stream`. Throws what made the run fail. */
  run(namespace: Namespace, input: UserInput, options?: RunOptions): Promise<RunResult>
  /**
   * Answers a message and tells of it while it happens, from the first `next` on. Leaving the loop stops the run. Throws
   * what made the run fail, after everything that happened before was yielded.
   */
  stream(namespace: Namespace, input: UserInput, options?: RunOptions): AsyncIterable<RunEvent>
  /**
   * Finishes what the session's log leaves open after a crash. The next `run` does so, too; this is for those who do
   * not want to wait for one. Resolves to the last result, or `undefined` when nothing was open; throws what made the
   * last run fail.
   */
  resume(namespace: Namespace, options?: ResumeOptions): Promise<RunResult | undefined>
  session(namespace: Namespace): Session
  /** Stops all work at once. Runs stay open in their logs and are gone on with when their session is next claimed. */
  close(): Promise<void>
}

/** Sessions whose fold is kept in memory while nobody uses them. */
const MAX_IDLE_WORKERS = 1000

const OPTIONS: OptionNames<RuntimeOptions> = {
  provider: true,
  store: true,
  tools: true,
  policies: true,
  hooks: true,
  instructions: true,
  context: true,
  maxParallelTools: true,
  leaseTtlMs: true,
}
const RUN_OPTIONS: OptionNames<RunOptions> = { signal: true, model: true, maxTurns: true, tools: true }
const RESUME_OPTIONS: OptionNames<ResumeOptions> = { signal: true, onEvent: true }

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
    const message = toUserMessage(input)
    checkOptions('a run', options, RUN_OPTIONS)
    const { signal, ...settings } = options
    checkSignal(signal)
    checkSettings(settings, services)
    checkFits(message, services)
    using linked = linkAbort(signal, left)
    const hasSettings = Object.keys(settings).length > 0
    const entry = { type: 'input', key: randomUUID(), message, ...(hasSettings ? { settings } : {}) } as const
    return await workerOf(namespace).answer(entry, linked.signal, emit)
  }

  return {
    run: (namespace, input, options = {}) => answer(namespace, input, options, undefined, () => {}),

    stream: (namespace, input, options = {}) =>
      eventStream((emit, left) => answer(namespace, input, options, left, emit)),

    async resume(namespace, options = {}) {
      requireNamespace(namespace)
      checkOptions('resume', options, RESUME_OPTIONS)
      const { signal, onEvent } = options
      checkSignal(signal)
      closing.signal.throwIfAborted()
      const head = await services.store.sessions.head(namespace, { signal })
      if (!head || (head.inbox.length === 0 && head.openRun === undefined)) return undefined
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

    session: (namespace) => openSession(requireNamespace(namespace), services.store.sessions),

    async close() {
      closing.abort(new OrraError('runtime.closed', 'This runtime was closed; make another one.', { details: {} }))
      await Promise.all(Array.from(workers.values(), (worker) => worker.settled()))
    },

    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

function createServices(options: RuntimeOptions): Services {
  checkOptions('createRuntime', options, OPTIONS)
  const { provider, store = memoryStore(), tools = [], policies = {}, hooks = [] } = options
  if (typeof provider?.stream !== 'function')
    throw invalidOption('provider', 'give a provider, such as anthropic({ model })')
  if (typeof store?.sessions?.append !== 'function')
    throw invalidOption('store', 'give a store, such as sqliteStore(path)')
  if (!Array.isArray(tools)) throw invalidOption('tools', 'give a list of tools')
  if (!Array.isArray(hooks)) throw invalidOption('hooks', 'give a list, for there may be several sets of hooks')
  const { instructions, maxParallelTools = 8, leaseTtlMs = 15_000 } = options
  if (instructions !== undefined && typeof instructions !== 'string' && typeof instructions !== 'function') {
    throw invalidOption('instructions', 'give text, or a function that makes it')
  }
  if (!(Number.isInteger(maxParallelTools) && maxParallelTools > 0)) {
    throw invalidOption('maxParallelTools', 'give a whole number above 0')
  }
  if (!(Number.isInteger(leaseTtlMs) && leaseTtlMs >= 100 && leaseTtlMs <= LONGEST_TIMEOUT_MS)) {
    throw invalidOption('leaseTtlMs', 'give a whole number of milliseconds from 100 to about 24 days')
  }
  return {
    provider,
    store,
    tools: readyTools(tools),
    hooks: createHookRunner(hooks),
    gate: createGate(policies),
    instructions,
    budget: contextBudget(options.context, provider.limits),
    maxParallelTools,
    leaseTtlMs,
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw invalidOption('signal', 'give an AbortSignal, such as the "signal" of an AbortController')
}

function checkSettings({ model, maxTurns, tools }: RunSettings, services: Services): void {
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw invalidOption('model', 'give the name of a model')
  }
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && maxTurns > 0)) {
    throw invalidOption('maxTurns', 'give a whole number above 0')
  }
  if (tools !== undefined && !Array.isArray(tools)) throw invalidOption('tools', 'give a list of tool names')
  const missing = tools?.find((name) => !services.tools.has(name))
  if (missing === undefined) return
  const known = [...services.tools.keys()]
  const message = `This runtime has no tool named "${missing}"; it has ${known.length === 0 ? 'none' : known.join(', ')}.`
  throw new OrraError('tool.unknown', message, { details: { tool: missing, known } })
}

/** What could never be sent must not be accepted. */
function checkFits(message: UserMessage, { budget, instructions }: Services): void {
  const fixed = fixedTokens(typeof instructions === 'string' ? instructions : undefined, [])
  const estimatedTokens = estimateTokens(message) + fixed.instructionTokens
  const { budgetTokens } = budget
  if (estimatedTokens <= budgetTokens) return
  const text = `This message has about ${estimatedTokens} tokens and ${budgetTokens} fit; send it in parts or as a shorter one.`
  throw new OrraError('context.too-long', text, { details: { estimatedTokens, budgetTokens } })
}
