import type { JsonObject, JsonValue } from '../json.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { Hooks } from './hooks.ts'

export interface WorkingDirectoryOptions {
  /** The name in the session's metadata. @default 'workingDirectory' */
  readonly metadata?: string
  /** The property of a tool's input. @default 'working_directory' */
  readonly property?: string
}

/**
 * Gives tools the directory that the session's metadata names, and not one that the model wrote. A tool declares that it takes
 * one by a property of its input schema; where the session has none, the property is taken out of the input, as it is
 * from any other tool's. Let the property be optional, and these hooks come last among those that patch input. It keeps the model from choosing the directory, and does not keep a tool from leaving it.
 */
export function workingDirectory(options: WorkingDirectoryOptions = {}): Hooks {
  checkOptions('workingDirectory', options, OPTIONS)
  const { metadata: name = 'workingDirectory', property = 'working_directory' } = options
  for (const [option, value] of Object.entries({ metadata: name, property })) {
    if (typeof value !== 'string' || value === '') throw invalidOption(option, 'give a name')
  }
  return {
    name: 'workingDirectory',

    beforeToolCall({ input, inputSchema, metadata }) {
      if (!isObject(input)) return undefined
      const isTaken = declares(inputSchema, property, inputSchema)
      if (!isTaken && !Object.hasOwn(input, property)) return undefined
      const directory = isTaken && Object.hasOwn(metadata, name) ? metadata[name] : undefined
      const { [property]: _, ...rest } = input
      return { input: typeof directory === 'string' && directory !== '' ? { ...rest, [property]: directory } : rest }
    },
  }
}

const OPTIONS: OptionNames<WorkingDirectoryOptions> = { metadata: true, property: true }

/** Also in a schema that is put together of several, or refers to its own parts. */
function declares(
  schema: JsonValue | undefined,
  property: string,
  whole: JsonObject,
  seen = new Set<string>(),
): boolean {
  if (!isObject(schema)) return false
  if (isObject(schema['properties']) && Object.hasOwn(schema['properties'], property)) return true
  const { $ref } = schema
  if (typeof $ref === 'string' && !seen.has($ref)) {
    seen.add($ref)
    if (declares(partAt(whole, $ref), property, whole, seen)) return true
  }
  return ['allOf', 'anyOf', 'oneOf'].some((keyword) => {
    const parts = schema[keyword]
    return Array.isArray(parts) && parts.some((part) => declares(part, property, whole, seen))
  })
}

/** What a reference within a schema stands for, such as `#/$defs/place`. */
function partAt(whole: JsonObject, reference: string): JsonValue | undefined {
  if (!reference.startsWith('#/')) return undefined
  let part: JsonValue | undefined = whole
  for (const name of reference.slice(2).split('/')) {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~')
    part = isObject(part) && Object.hasOwn(part, key) ? part[key] : undefined
  }
  return part
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
