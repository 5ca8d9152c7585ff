import { mentionFinder } from './agents/mentions.ts'
import type { AgentProfile } from './agents/profile.ts'
import { readyAgents, unknownAgent } from './agents/ready-agents.ts'
import { createRuntime } from './create-runtime.ts'
import { invalidOption } from './options.ts'
import type { Runtime } from './runtime.ts'
import type { RuntimeOptions } from './services.ts'

/** The options of a runtime, with at least one agent. */
export type AgentsOptions = RuntimeOptions & {
  readonly agents: readonly AgentProfile[]
  /** Who answers what calls nobody by name. @default the first agent */
  readonly default?: string
}

/** Several agents in one runtime: they share its store, tools, policies and limits, and answer in the same sessions. */
export interface AgentSet extends AsyncDisposable {
  readonly names: readonly string[]
  /** The runtime as the default agent's. */
  readonly default: Runtime
  /**
   * The runtime with `run`, `stream` and `submit` as this agent's, unless a call names another; all else is shared, closing
   * included. Throws `agent.unknown`.
   */
  get(name: string): Runtime
  /** The agent that the text calls by `@name`, if any. */
  mentioned(text: string): string | undefined
  /** The runtime as that of the agent whom the text calls, or of the default one. */
  for(text: string): Runtime
  /** Closes the runtime. */
  close(): Promise<void>
}

/**
 * Makes one runtime for several agents. Throws what `createRuntime` throws, `agent.unknown` for a default agent that is not
 * there, and `options.invalid` when there is none at all.
 *
 * @example
 * await using agents = createAgents({
 *   provider,
 *   agents: [{ name: 'helper' }, { name: 'writer', personality: 'You write like a poet.' }],
 * })
 * const { text } = await agents.for('@writer a line about rain').run(bob, '@writer a line about rain')
 */
export function createAgents(options: AgentsOptions): AgentSet {
  const names: readonly string[] = Object.freeze([...readyAgents(options?.agents).keys()])
  const { default: first = names[0], ...runtimeOptions } = options
  if (first === undefined) throw invalidOption('agents', 'give at least one agent')
  // Before there is a runtime that nobody would close.
  if (!names.includes(first)) throw unknownAgent(typeof first === 'string' ? first : '', names)

  const runtime = createRuntime(runtimeOptions)
  const views = new Map(names.map((name) => [name, runtimeOf(name, runtime)]))
  const mentioned = mentionFinder(names)

  function get(name: string): Runtime {
    const view = views.get(name)
    if (view === undefined) throw unknownAgent(typeof name === 'string' ? name : '', names)
    return view
  }

  return {
    names,
    default: get(first),
    get,
    mentioned,
    for: (text) => get(mentioned(text) ?? first),
    close: () => runtime.close(),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  }
}

function runtimeOf(agent: string, runtime: Runtime): Runtime {
  return {
    ...runtime,
    run: (namespace, input, options = {}) => runtime.run(namespace, input, asAgent(agent, options)),
    stream: (namespace, input, options = {}) => runtime.stream(namespace, input, asAgent(agent, options)),
    submit: (namespace, input, options = {}) => runtime.submit(namespace, input, asAgent(agent, options)),
    preview: (namespace, options = {}) => runtime.preview(namespace, asAgent(agent, options)),
  }
}

/** What is no object is left as it is, for the runtime to refuse it. */
function asAgent<Options extends { readonly agent?: string }>(agent: string, options: Options): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  return { ...options, agent: options.agent ?? agent }
}
