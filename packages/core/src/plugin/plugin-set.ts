import type { Channel } from '../channel.ts'
import { OrraError } from '../errors.ts'
import type { Policies } from '../gate/policy.ts'
import type { PolicySource } from '../gate/policy-source.ts'
import type { Hooks, NamedHooks } from '../hooks/hooks.ts'
import { invalidOption } from '../options.ts'
import type { Provider } from '../provider.ts'
import type { Tool } from '../tool.ts'
import { checkPlugin, invalidPlugin } from './check-plugin.ts'
import type { Plugin } from './plugin.ts'
import { type PluginLifetime, pluginLifetime } from './plugin-lifetime.ts'
import { inStartOrder } from './plugin-order.ts'

/** What a runtime's plugins add to it, in the order in which they are started. */
export interface PluginSet extends PluginLifetime {
  readonly tools: readonly Tool[]
  /** Those without a name bear that of their plugin. */
  readonly hooks: readonly NamedHooks[]
  readonly providers: ReadonlyMap<string, Provider>
  readonly channels: readonly Channel[]
  readonly policies: readonly (Policies | PolicySource)[]
}

/**
 * Throws `plugin.invalid`, `plugin.missing`, and `tool.duplicate` where a plugin's tool has the name of another one's, or of
 * one of the runtime's `own`. `own` tools among themselves, and what each tool, hook and policy is, are left to others.
 */
export function readyPlugins(given: readonly Plugin[], own: readonly Tool[] = []): PluginSet {
  if (!Array.isArray(given)) throw invalidOption('plugins', 'give a list of plugins')
  for (const [index, plugin] of given.entries()) checkPlugin(plugin, index)
  const plugins = inStartOrder(given)
  checkToolNames(plugins, own)
  return {
    tools: plugins.flatMap(({ tools = [] }) => tools),
    hooks: plugins.flatMap(namedHooks),
    providers: providersOf(plugins),
    channels: plugins.flatMap(({ channels = [] }) => channels),
    policies: plugins.flatMap(({ policies }) => (policies === undefined ? [] : [policies])),
    ...pluginLifetime(plugins),
  }
}

function namedHooks({ name, hooks = [] }: Plugin): readonly NamedHooks[] {
  if (!isList(hooks)) return [{ name: hooks.name ?? name, hooks }]
  return hooks.map((each, index) => ({ name: each.name ?? `${name} hooks[${index}]`, hooks: each }))
}

function isList(hooks: Hooks | readonly Hooks[]): hooks is readonly Hooks[] {
  return Array.isArray(hooks)
}

function providersOf(plugins: readonly Plugin[]): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>()
  const owners = new Map<string, string>()
  for (const plugin of plugins) {
    for (const [name, provider] of Object.entries(plugin.providers ?? {})) {
      const owner = owners.get(name)
      if (owner !== undefined) {
        throw invalidPlugin(plugin.name, `its provider "${name}" has the name of one of the plugin "${owner}"`)
      }
      owners.set(name, plugin.name)
      providers.set(name, provider)
    }
  }
  return providers
}

function checkToolNames(plugins: readonly Plugin[], own: readonly Tool[]): void {
  const owners = new Map(own.map((tool) => [tool?.name, "the runtime's own"]))
  for (const plugin of plugins) {
    const owner = `that of the plugin "${plugin.name}"`
    for (const { name } of plugin.tools ?? []) {
      const other = owners.get(name)
      if (other !== undefined) {
        const message = `Two tools are named "${name}": ${other}, and ${owner}; give one of them another name.`
        throw new OrraError('tool.duplicate', message, { details: { tool: name } })
      }
      owners.set(name, owner)
    }
  }
}
