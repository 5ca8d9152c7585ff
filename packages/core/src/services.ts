import type { Instructions } from './agents/instructions.ts'
import type { AgentProfile } from './agents/profile.ts'
import { readyAgents } from './agents/ready-agents.ts'
import { type ApprovalOptions, approvalRules } from './approval/approval-options.ts'
import { expectedReply } from './budget/expected-reply.ts'
import { createMeter } from './budget/meter.ts'
import type { ModelQuota } from './budget/model-quota.ts'
import type { Prices } from './budget/prices.ts'
import { type ContextOptions, type ContextRules, contextRules } from './context/context-rules.ts'
import { readResult } from './context/read-result.ts'
import { createGate } from './gate/gate.ts'
import type { Policies } from './gate/policy.ts'
import { isPolicySource, type PolicySource } from './gate/policy-source.ts'
import type { Hooks, NamedHooks } from './hooks/hooks.ts'
import { createCrowd } from './loop/crowd.ts'
import { createHookRunner } from './loop/hook-runner.ts'
import type { Services } from './loop/run-scope.ts'
import { checkOptions, invalidOption, type OptionNames } from './options.ts'
import type { Plugin } from './plugin/plugin.ts'
import { type PluginSet, readyPlugins } from './plugin/plugin-set.ts'
import type { Provider } from './provider.ts'
import { localNotices } from './store/local-notices.ts'
import { memoryStore } from './store/memory-store.ts'
import { canNotify } from './store/notices.ts'
import type { Store } from './store/store.ts'
import { LONGEST_TIMEOUT_MS, readyTools, type Tool } from './tool.ts'

export interface RuntimeOptions {
  /** The model; or the name of one that a plugin brings. */
  readonly provider: Provider | string
  /** Not closed with the runtime; several may share one. @default a memory store */
  readonly store?: Store
  readonly tools?: readonly Tool[]
  /** What which namespaces may do. @default everything */
  readonly policies?: Policies | PolicySource | readonly (Policies | PolicySource)[]
  /** How calls are approved that need it. @default by hooks, at once; else not at all */
  readonly approvals?: ApprovalOptions
  /** Who answers, and whom agents may ask. @default one without a name */
  readonly agents?: readonly AgentProfile[]
  /** What model calls cost. Limits in dollars need it. @default nobody knows */
  readonly prices?: Prices
  /** Shares what a provider lets an account use among all tenants. @default everybody calls at once */
  readonly quota?: ModelQuota
  /** Tools, hooks, models, policies and channels from elsewhere. */
  readonly plugins?: readonly Plugin[]
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
  approvals: true,
  agents: true,
  prices: true,
  quota: true,
  plugins: true,
  hooks: true,
  instructions: true,
  context: true,
  maxParallelTools: true,
  leaseTtlMs: true,
}

/**
 * The parts of a runtime, checked. Throws `options.invalid`, `tool.invalid`, `tool.duplicate`, `policy.invalid`,
 * `agent.invalid`, `plugin.invalid` and `plugin.missing`.
 */
export function createServices(options: RuntimeOptions): { readonly services: Services; readonly plugins: PluginSet } {
  checkOptions('createRuntime', options, OPTIONS)
  const { store = memoryStore(), tools = [], policies = [], hooks = [], prices, quota } = options
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
  if (prices !== undefined && typeof prices !== 'function') {
    throw invalidOption('prices', 'give a function, such as priceTable({ … })')
  }
  if (quota !== undefined && typeof quota?.enter !== 'function') {
    throw invalidOption('quota', 'give what modelQuota({ … }) makes')
  }
  if (!prices && [policies].flat().some(limitsDollars)) {
    throw invalidOption('prices', 'a policy limits dollars, and nothing says what a model call costs')
  }
  const plugins = readyPlugins(options.plugins ?? [], tools)
  const provider = chosenProvider(options.provider, plugins)
  const context = contextRules(options.context, provider)
  const services: Services = {
    provider,
    store,
    notices: canNotify(store) ? store.notices : localNotices(),
    tools: readyTools(withReadResult([...tools, ...plugins.tools], context, store, provider)),
    hooks: createHookRunner([...hooks.map(named), ...plugins.hooks]),
    gate: createGate([...(isList(policies) ? policies : [policies]), ...plugins.policies]),
    approvals: approvalRules(options.approvals),
    agents: readyAgents(options.agents ?? []),
    prices,
    meter: createMeter(store.counters, prices ? { prices } : {}),
    crowd: createCrowd(store.counters),
    quota,
    replies: expectedReply(),
    instructions,
    context,
    maxParallelTools,
    leaseTtlMs,
  }
  return { services, plugins }
}

/** Where results may be sent in part, the model can read the rest. */
function withReadResult(
  tools: readonly Tool[],
  context: ContextRules,
  store: Store,
  provider: Provider,
): readonly Tool[] {
  const isPartial = context.strategies.some(({ type }) => type === 'clip-results' || type === 'drop-results')
  if (tools.length === 0 || !isPartial) return tools
  const maxTokens = () => context.maxResultTokens(provider.model)
  const count = (text: string) => context.measure.text(text, provider.model)
  return [...tools, readResult({ sessions: store.sessions, maxTokens, count })]
}

function chosenProvider(provider: RuntimeOptions['provider'], { providers }: PluginSet): Provider {
  const chosen = typeof provider === 'string' ? providers.get(provider) : provider
  if (typeof chosen?.stream === 'function') return chosen
  if (typeof provider !== 'string') throw invalidOption('provider', 'give a provider, such as anthropic({ model })')
  const known = [...providers.keys()]
  throw invalidOption('provider', `no plugin brings one of this name; there are ${known.join(', ') || 'none'}`)
}

function named(hooks: Hooks, index: number): NamedHooks {
  return { name: hooks?.name ?? `hooks[${index}]`, hooks }
}

/** What a source will say is not known yet. */
function limitsDollars(policies: Policies | PolicySource): boolean {
  if (typeof policies !== 'object' || policies === null || isPolicySource(policies)) return false
  return Object.values(policies).some((policy) =>
    Object.keys(policy?.limits ?? {}).some((name) => name.startsWith('usd')),
  )
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}
