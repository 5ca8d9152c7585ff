import { OrraError } from './errors.ts'
import { type JsonObject, type JsonValue, toJson } from './json.ts'
import { invalidOption } from './options.ts'
import { type CompiledSchema, compileSchema, type Schema, type TypedSchema } from './schema.ts'
import { checkUsable } from './usable-schema.ts'

/** What an answer is to be, made ready once for as long as the schema lives. Plain JSON may be changed in the meantime. */
const compiled = new WeakMap<object, CompiledSchema>()

/** The option `output`, made ready. Throws `options.invalid`. */
export function readyOutput(schema: Schema): CompiledSchema {
  const known = isTyped(schema) ? compiled.get(schema) : undefined
  if (known) return known
  try {
    const { json, validate } = compileSchema(schema)
    const made: CompiledSchema = { json: toJson(json), validate }
    checkUsable(made.json)
    if (isTyped(schema)) compiled.set(schema, made)
    return made
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'it cannot be read'
    throw invalidOption('output', `give a Standard Schema or a JSON Schema, of an object; ${problem}`)
  }
}

/** An answer, held against what it was to be. */
export type Answer =
  | { readonly valid: true; readonly value: unknown }
  /** Each problem names its place, in words for the model; `places` are those that the schema itself names. */
  | { readonly valid: false; readonly problems: readonly string[]; readonly places: readonly string[] }

export async function readAnswer({ json, validate }: CompiledSchema, text: string): Promise<Answer> {
  const value = jsonIn(text)
  if (value === undefined) return { valid: false, problems: ['it is not JSON'], places: [] }
  const validation = await validate(value)
  if (validation.valid) return validation
  const names = namesIn(json)
  const places = validation.paths.map((path) => placeIn(value, path, names))
  return { valid: false, problems: validation.problems, places: [...new Set(places)] }
}

/** The answer as the caller's own schema makes it. Throws `output.invalid`. */
export async function typedAnswer(schema: CompiledSchema, text: string): Promise<unknown> {
  const answer = await readAnswer(schema, text)
  if (answer.valid) return answer.value
  throw outputInvalid(answer.places)
}

export function outputInvalid(places: readonly string[]): OrraError<'output.invalid'> {
  const where = places.length === 0 ? 'it is not JSON' : `it is wrong at ${places.join(', ')}`
  const message = `The model's answer is not what "output" describes: ${where}. Ask again, describe its fields better, or take another model.`
  return new OrraError('output.invalid', message, { details: { places } })
}

function jsonIn(text: string): JsonValue | undefined {
  for (const candidate of [text, fenced(text)]) {
    try {
      // Nested too deeply it is refused like what is no JSON.
      if (candidate !== undefined) return toJson(JSON.parse(candidate) as JsonValue)
    } catch {}
  }
  return undefined
}

/** Models that nothing holds to JSON like to put it into a fence. */
function fenced(text: string): string | undefined {
  const from = text.indexOf('```')
  const to = text.lastIndexOf('```')
  return from < to ? text.slice(from + 3, to).replace(/^json/i, '') : undefined
}

/** Names of fields, wherever they stand in the schema: what is not among them was made up by the model. */
function namesIn(schema: JsonValue, found = new Set<string>()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return found
  const { properties } = Array.isArray(schema) ? ({} as JsonObject) : (schema as JsonObject)
  if (typeof properties === 'object' && properties !== null) for (const name of Object.keys(properties)) found.add(name)
  for (const part of Object.values(schema)) if (part !== undefined) namesIn(part, found)
  return found
}

/** A place, as `tasks.0.title`; what neither the schema names nor counts the items of a list is a `*`. */
function placeIn(answer: JsonValue, path: readonly string[], names: ReadonlySet<string>): string {
  if (path.length === 0) return 'the whole'
  let at: JsonValue | undefined = answer
  const place: string[] = []
  for (const name of path) {
    const isKnown = Array.isArray(at) ? /^\d+$/.test(name) : names.has(name)
    place.push(isKnown ? name : '*')
    at =
      typeof at === 'object' && at !== null
        ? (at as { readonly [name: string]: JsonValue | undefined })[name]
        : undefined
  }
  return place.join('.')
}

function isTyped(schema: unknown): schema is TypedSchema {
  return typeof (schema as Partial<TypedSchema> | null | undefined)?.['~standard'] === 'object'
}
