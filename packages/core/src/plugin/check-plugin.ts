import { OrraError } from '../errors.ts'
import type { OptionNames } from '../options.ts'
import type { Plugin } from './plugin.ts'

const NAME = /^[\w.@/-]{1,64}$/

/** Every field: whether a value can be used as it, and what it should have been. */
const FIELDS: { readonly [Field in keyof OptionNames<Plugin>]: FieldRule } = {
  name: { fits: isPluginName, should: 'be 1 to 64 letters, digits, "_", "-", ".", "/" and "@"' },
  version: { fits: (value) => typeof value === 'string' && value !== '', should: 'be text, such as "1.2.0"' },
  enabled: { fits: (value) => typeof value === 'boolean', should: 'be true or false' },
  requires: { fits: isListOf(isPluginName), should: 'be a list of names of plugins' },
  tools: { fits: isListOf(isObject), should: 'be a list of tools; make them with defineTool(…)' },
  hooks: { fits: (value) => isObject(value) || isListOf(isObject)(value), should: 'be hooks, or a list of them' },
  providers: { fits: isProviders, should: 'be an object of providers by name, such as { fast: anthropic({ model }) }' },
  channels: { fits: isListOf((value) => has(value, 'serve')), should: 'be a list of channels' },
  policies: { fits: isObject, should: 'be policies by pattern, or a source of them' },
  start: { fits: isFunction, should: 'be a function' },
  stop: { fits: isFunction, should: 'be a function' },
}

interface FieldRule {
  fits(value: unknown): boolean
  readonly should: string
}

/** Throws `plugin.invalid` for the first thing in it that cannot be used. What its tools and hooks are is not looked at. */
export function checkPlugin(plugin: Plugin, index: number): void {
  if (!isObject(plugin)) throw invalidPlugin(`plugins[${index}]`, 'it is no plugin; a plugin is an object with a name')
  const name = isPluginName(plugin.name) ? plugin.name : `plugins[${index}]`
  const unknown = Object.keys(plugin).find((field) => !Object.hasOwn(FIELDS, field))
  if (unknown !== undefined) {
    throw invalidPlugin(name, `it has the unknown field "${unknown}"; it may have ${Object.keys(FIELDS).join(', ')}`)
  }
  for (const [field, { fits, should }] of Object.entries(FIELDS)) {
    const value: unknown = plugin[field as keyof Plugin]
    if (value === undefined && field !== 'name') continue
    if (!fits(value)) throw invalidPlugin(name, `its "${field}" must ${should}`)
  }
}

export function isPluginName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/** The one sentence in which a plugin is refused. */
export function invalidPlugin(plugin: string, problem: string, cause?: unknown): OrraError<'plugin.invalid'> {
  const message = `The plugin "${plugin}" cannot be used: ${problem}.`
  return new OrraError('plugin.invalid', message, { details: { plugin, problem }, cause })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isListOf(fits: (value: unknown) => boolean) {
  return (value: unknown): boolean => Array.isArray(value) && value.every(fits)
}

function isProviders(value: unknown): boolean {
  return isObject(value) && Object.entries(value).every(([name, provider]) => name !== '' && has(provider, 'stream'))
}

function has(value: unknown, method: string): boolean {
  return isObject(value) && isFunction((value as Record<string, unknown>)[method])
}
