import { isOrraError } from '../errors.ts'
import { type JsonObject, type JsonValue, toJson } from '../json.ts'
import { checkOptions, type OptionNames } from '../options.ts'
import { type CompiledSchema, compileSchema, type Infer, type Schema, type TypedSchema } from '../schema.ts'
import { invalidPlugin, isPluginName } from './check-plugin.ts'
import type { Plugin } from './plugin.ts'

/** How a plugin is written whose configuration has a schema. */
export interface PluginDefinition<S extends Schema = JsonObject> {
  /** As a plugin's. */
  readonly name: string
  readonly version?: string
  /** A Standard Schema that checks at once, or a JSON Schema of an object. */
  readonly config: S
  /** Makes the plugin of a configuration that fits. Two calls share nothing. */
  create(config: Infer<S>): Omit<Plugin, 'name' | 'version'>
}

/** What is given for a configuration, before its schema has put in what is left out. */
export type ConfigInput<S extends Schema> = S extends TypedSchema<infer Input, unknown> ? Input : JsonObject

/** May be left out where nothing in it is needed. */
type ConfigArguments<Input> = Record<never, never> extends Input ? [config?: Input] : [config: Input]

/**
 * A factory of a plugin, typed by the schema of its configuration. The factory throws `plugin.invalid` for one that does not
 * fit; the message names the places and never holds a value, for configurations hold keys.
 *
 * @example
 * export const weather = definePlugin({
 *   name: '@acme/orra-weather',
 *   config: z.object({ apiKey: z.string(), units: z.enum(['metric', 'imperial']).default('metric') }),
 *   create: ({ apiKey, units }) => ({ tools: [forecast(apiKey, units)] }),
 * })
 * createRuntime({ provider, plugins: [weather({ apiKey })] })
 */
export function definePlugin<S extends Schema>(
  definition: PluginDefinition<S>,
): (...config: ConfigArguments<ConfigInput<S>>) => Plugin {
  checkOptions('definePlugin', definition, DEFINITION)
  const { name, version, config: schema } = definition
  if (!isPluginName(name)) throw invalidPlugin(String(name), 'its "name" is not that of a plugin')
  if (typeof definition.create !== 'function') throw invalidPlugin(name, 'its "create" is not a function')
  const check = checkerOf(name, schema)
  return (...[config = {}]) => {
    const made = created(name, () => definition.create(check(config) as Infer<S>))
    // Those of a class are none of its own fields.
    const { start, stop } = made
    return {
      ...made,
      ...(start ? { start: start.bind(made) } : {}),
      ...(stop ? { stop: stop.bind(made) } : {}),
      name,
      ...(version === undefined ? {} : { version }),
    }
  }
}

const DEFINITION: OptionNames<PluginDefinition> = { name: true, version: true, config: true, create: true }

function created(name: string, create: () => Omit<Plugin, 'name' | 'version'>): Omit<Plugin, 'name' | 'version'> {
  try {
    const made = create()
    if (typeof made === 'object' && made !== null) return made
  } catch (error) {
    if (isOrraError(error)) throw error
    throw invalidPlugin(name, 'it could not be made; see the cause', error)
  }
  throw invalidPlugin(name, 'its "create" returned no object')
}

/** Checks a configuration and returns it as the schema leaves it. Throws `plugin.invalid`. */
type Checker = (config: unknown) => unknown

function checkerOf(name: string, schema: Schema): Checker {
  if (isStandard(schema)) return (config) => checkStandard(name, schema, config)
  let compiled: CompiledSchema
  try {
    compiled = compileSchema(schema)
  } catch (error) {
    throw invalidPlugin(name, 'its "config" is neither a Standard Schema nor a JSON Schema of an object', error)
  }
  return (config) => checkJson(name, compiled, config)
}

/** Not by way of `compileSchema`: a configuration may hold functions, which no JSON Schema describes. */
function checkStandard(name: string, schema: TypedSchema, config: unknown): unknown {
  const result = schema['~standard'].validate(config)
  if (result instanceof Promise) {
    result.catch(() => {})
    throw invalidPlugin(name, 'the schema of its configuration takes time to check; use one that checks at once')
  }
  if (!result.issues) return result.value
  const places = result.issues.map(({ path = [] }) =>
    path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.'),
  )
  throw misfit(name, places)
}

function checkJson(name: string, { validate }: CompiledSchema, config: unknown): unknown {
  let value: JsonValue
  try {
    value = toJson(config as JsonValue)
  } catch (error) {
    throw invalidPlugin(name, 'its configuration is not JSON', error)
  }
  const result = validate(value)
  if (result instanceof Promise) throw invalidPlugin(name, 'its configuration cannot be checked at once')
  if (result.valid) return result.value
  // Only the places, since a validator may say the values, too.
  throw misfit(
    name,
    result.paths.map((path) => path.join('.')),
  )
}

function misfit(name: string, places: readonly string[]): Error {
  const listed = [...new Set(places)].map((place) => (place === '' ? 'its top' : `"${place}"`)).join(', ')
  return invalidPlugin(name, `its configuration does not fit its schema at ${listed}`)
}

function isStandard(schema: Schema): schema is TypedSchema {
  return typeof (schema as Partial<TypedSchema> | null | undefined)?.['~standard'] === 'object'
}
