import { type OutputUnit, Validator } from '@cfworker/json-schema'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonObject, JsonValue } from './json.ts'

/** A schema of any library that speaks Standard Schema and gives its JSON Schema, such as zod, valibot or arktype. */
export interface TypedSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output> & StandardJSONSchemaV1.Props<Input, Output>
}

/** What a tool's input may be described by. */
export type Schema = TypedSchema | JsonObject

/** The type of a value that has passed the schema; `JsonObject` for plain JSON Schema. */
export type Infer<S extends Schema> = S extends TypedSchema<unknown, infer Output> ? Output : JsonObject

type Validation =
  | { readonly valid: true; readonly value: unknown }
  /** One line a problem, each naming the place; beside it the places, as the names on the way there. */
  | {
      readonly valid: false
      readonly problems: readonly string[]
      readonly paths: readonly (readonly string[])[]
    }

/** So many problems are told; more say nothing that those do not. */
const MOST_PROBLEMS = 100

/** A schema made ready: what the model is shown, and the check of what it sends. */
export interface CompiledSchema {
  readonly json: JsonObject
  validate(value: JsonValue): Validation | Promise<Validation>
}

/** Throws an `Error` whose message is the problem, to be put into the words of whoever owns the schema. */
export function compileSchema(schema: Schema): CompiledSchema {
  // arktype's schemas are functions, so the mark is looked for before the kind of value.
  if (isTyped(schema)) return compileTyped(schema)
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new Error('its input is neither a Standard Schema nor a JSON Schema object')
  }
  return compileJson(schema)
}

function isTyped(schema: unknown): schema is TypedSchema {
  return schema !== null && schema !== undefined && typeof (schema as TypedSchema)['~standard'] === 'object'
}

function compileTyped(schema: TypedSchema): CompiledSchema {
  const standard = schema['~standard']
  if (typeof standard.jsonSchema?.input !== 'function') {
    throw new Error(
      `its schema (${standard.vendor}) gives no JSON Schema; use a version that does, or plain JSON Schema`,
    )
  }
  const json = requireObjectSchema(standard.jsonSchema.input({ target: 'draft-2020-12' }) as JsonObject)
  return {
    json,
    async validate(value) {
      const result = await standard.validate(value)
      if (!result.issues) return { valid: true, value: result.value }
      const issues = result.issues.slice(0, MOST_PROBLEMS)
      const paths = issues.map(({ path = [] }) => path.map(nameOf))
      return {
        valid: false,
        paths,
        problems: issues.map(({ message }, at) => `${placeOf(paths[at] ?? [])}: ${message}`),
      }
    },
  }
}

function compileJson(schema: JsonObject): CompiledSchema {
  const json = requireObjectSchema(schema)
  // It writes into what it is given.
  const validator = new Validator(structuredClone(schema) as object, '2020-12', false)
  return {
    json,
    validate(value) {
      const errors = errorsOf(validator, value)
      if (errors.length === 0) return { valid: true, value }
      const leaves = leavesOf(errors)
      const tell = ({ instanceLocation, error }: OutputUnit) => `${placeOf(namesOf(instanceLocation))}: ${error}`
      return { valid: false, paths: leaves.map(pathOf), problems: leaves.map(tell) }
    },
  }
}

/** Models call tools with an object, so nothing else can describe a tool's input. */
function requireObjectSchema({ $schema: _, ...schema }: JsonObject): JsonObject {
  if (schema['type'] !== 'object') throw new Error('its input schema does not describe an object ("type": "object")')
  const { properties, required } = schema
  if (
    properties !== undefined &&
    (typeof properties !== 'object' || properties === null || Array.isArray(properties))
  ) {
    throw new Error('the "properties" of its input schema are not an object')
  }
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === 'string'))) {
    throw new Error('the "required" of its input schema is not a list of names')
  }
  return schema
}

function nameOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === 'object' ? segment.key : segment)
}

/** What is too large or goes in a circle for the validator does not fit, either. */
function errorsOf(validator: Validator, value: JsonValue): readonly OutputUnit[] {
  try {
    const { valid, errors } = validator.validate(value)
    return valid ? [] : errors
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [{ keyword: '', keywordLocation: '#', instanceLocation: '#', error: 'It cannot be checked.' }]
  }
}

/** Of a chain of failures from the whole down to the part, only the part is worth a line. */
function leavesOf(units: readonly OutputUnit[]): readonly OutputUnit[] {
  const chains = new Set<string>()
  for (const location of new Set(units.map(({ keywordLocation }) => keywordLocation))) {
    for (let end = location.lastIndexOf('/'); end > 0; end = location.lastIndexOf('/', end - 1)) {
      const whole = location.slice(0, end)
      if (chains.has(whole)) break
      chains.add(whole)
    }
  }
  return units.filter(({ keywordLocation }) => !chains.has(keywordLocation)).slice(0, MOST_PROBLEMS)
}

/** The place as a path; of what is missing, where it would be. */
function pathOf({ instanceLocation, error }: OutputUnit): readonly string[] {
  const [, missing] = /^Instance does not have required property "(.*)"\.$/s.exec(error) ?? []
  const path = namesOf(instanceLocation)
  return missing === undefined ? path : [...path, missing]
}

/** The names of a JSON Pointer in a URI fragment. */
function namesOf(pointer: string): readonly string[] {
  const [, ...names] = pointer.split('/')
  return names.map((name) => decoded(name).replaceAll('~1', '/').replaceAll('~0', '~'))
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

function placeOf(path: readonly string[]): string {
  return path.length === 0 ? 'input' : path.join('.')
}
