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
  /** One line a problem, each naming the place. */
  | { readonly valid: false; readonly problems: readonly string[] }

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
      return { valid: false, problems: result.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`) }
    },
  }
}

function compileJson(schema: JsonObject): CompiledSchema {
  const json = requireObjectSchema(schema)
  const validator = new Validator(schema as object, '2020-12', false)
  return {
    json,
    validate(value) {
      const result = validator.validate(value)
      if (result.valid) return { valid: true, value }
      return { valid: false, problems: leavesOf(result.errors).map((unit) => `${placeOf(unit)}: ${unit.error}`) }
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

function pathOf(path: StandardSchemaV1.Issue['path']): string {
  const keys = (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment))
  return keys.length === 0 ? 'input' : keys.join('.')
}

/** Of a chain of failures from the whole down to the part, only the part is worth a line. */
function leavesOf(units: readonly OutputUnit[]): readonly OutputUnit[] {
  return units.filter(
    (unit) => !units.some((other) => other !== unit && other.keywordLocation.startsWith(`${unit.keywordLocation}/`)),
  )
}

function placeOf(unit: OutputUnit): string {
  const path = unit.instanceLocation.replace(/^#\/?/, '').replaceAll('/', '.')
  return path === '' ? 'input' : path
}
