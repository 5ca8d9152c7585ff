import type { Channel } from '../channel.ts'
import type { Policies } from '../gate/policy.ts'
import type { PolicySource } from '../gate/policy-source.ts'
import type { Hooks } from '../hooks/hooks.ts'
import type { Provider } from '../provider.ts'
import type { Runtime } from '../runtime.ts'
import type { Tool } from '../tool.ts'

/**
 * What somebody publishes for others to add to their bot: data, made by a function of its options and checked when a
 * runtime is made with it. It holds nobody's state.
 *
 * @example
 * export const weather = (options: WeatherOptions) =>
 *   ({ name: 'weather', tools: [forecast(options)] }) satisfies Plugin
 */
export interface Plugin {
  /** 1 to 64 letters, digits, `_`, `-`, `.`, `/` and `@`, such as the name of its package. */
  readonly name: string
  readonly version?: string
  /** Switched off, it adds nothing and is not started; those that require it fail. @default true */
  readonly enabled?: boolean
  /** The names of plugins that must be there, and are started before it. */
  readonly requires?: readonly string[]
  readonly tools?: readonly Tool[]
  readonly hooks?: Hooks | readonly Hooks[]
  /** Models by name, for the runtime's option `provider`. */
  readonly providers?: { readonly [name: string]: Provider }
  /** Served by `runtime.serve`. */
  readonly channels?: readonly Channel[]
  /** They can only narrow what others leave. */
  readonly policies?: Policies | PolicySource
  /**
   * Opens what it needs, before the runtime does its first work: so it may keep the host's runtime, and must not wait for
   * a run of it. When it fails, what was started before is stopped, and the next work tries anew.
   */
  start?(host: PluginHost): void | Promise<void>
  /** Closes it, once it was started and the runtime is closed; those that were started last come first. Has 10 seconds. */
  stop?(): void | Promise<void>
}

export interface PluginHost {
  readonly runtime: Runtime
  /** Aborts when the runtime closes. */
  readonly signal: AbortSignal
}
