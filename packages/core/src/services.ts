import { type ContextOptions, contextBudget } from './context/fit-turns.ts'
import { createGate } from './gate/gate.ts'
import type { Policies } from './gate/policy.ts'
import type { Hooks } from './hooks.ts'
import { createHookRunner } from './loop/hook-runner.ts'
import type { Instructions, Services } from './loop/run-scope.ts'
import { checkOptions, invalidOption, type OptionNames } from './options.ts'
import type { Provider } from './provider.ts'
import { localNotices } from './store/local-notices.ts'
import { memoryStore } from './store/memory-store.ts'
import { canNotify } from './store/notices.ts'
import type { Store } from './store/store.ts'
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
/** The parts of a runtime, checked. Throws `options.invalid`, `tool.invalid`, `tool.duplicate` and `policy.invalid`. */
export function createServices(options: RuntimeOptions): Services {
  checkOptions('createRuntime', options, OPTIONS)
  const { provider, store = memoryStore(), tools = [], policies = {}, hooks = [] } = options
  if (typeof provider?.stream !== 'function')
    throw invalidOption('provider', 'give a provider, such as anthropic({ model })')
  if (typeof store?.sessions?.append !== 'function' || !store.records || !store.counters)
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
    notices: canNotify(store) ? store.notices : localNotices(),
    tools: readyTools(tools),
    hooks: createHookRunner(hooks),
    gate: createGate(policies),
    instructions,
    budget: contextBudget(options.context, provider.limits),
    maxParallelTools,
    leaseTtlMs,
  }
}
