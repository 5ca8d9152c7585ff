import type { JsonObject, JsonValue } from '@orra/core'

/** What strict mode knows; a schema with anything else is refused by it. */
const KEYWORDS = new Set([
  ...['$schema', '$ref', '$defs', 'title', 'description', 'type', 'enum', 'const', 'anyOf'],
  ...['properties', 'required', 'additionalProperties', 'items', 'minItems', 'maxItems', 'format'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
])
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'])
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'])
/** The lower of the numbers that OpenAI and Azure name. */
const MOST = { depth: 5, properties: 100, enumValues: 500, characters: 15_000 }

/** What was found on the way through a schema. */
interface Counts {
  properties: number
  enumValues: number
  characters: number
  readonly references: string[]
  /** All that are strict themselves. */
  readonly schemas: Set<unknown>
}

/**
 * Whether OpenAI's strict mode takes a schema: every object has all of its properties required and no others allowed, there
 * is no keyword but those it knows, and it is neither too deep nor too large. When in doubt it is not.
 */
export function isStrictSchema(schema: JsonObject): boolean {
  const counts: Counts = { properties: 0, enumValues: 0, characters: 0, references: [], schemas: new Set() }
  if (schema['type'] !== 'object' || 'anyOf' in schema || '$ref' in schema) return false
  return (
    isStrict(schema, 1, counts) &&
    counts.properties <= MOST.properties &&
    counts.enumValues <= MOST.enumValues &&
    counts.characters <= MOST.characters &&
    counts.references.every((reference) => counts.schemas.has(referred(schema, reference)))
  )
}

function isStrict(schema: JsonValue | undefined, depth: number, counts: Counts): boolean {
  if (!isObject(schema)) return false
  counts.schemas.add(schema)
  const { type, $ref, $defs, anyOf, const: only, enum: values, items, format } = schema
  if (!Object.keys(schema).every((key) => KEYWORDS.has(key))) return false
  if (format !== undefined && !FORMATS.has(String(format))) return false
  if ($defs !== undefined && !isEveryStrict($defs, depth, counts)) return false
  if ($ref !== undefined) return counts.references.push(String($ref)) > 0 && Object.keys(schema).length === 1
  if (anyOf !== undefined) return isFilledList(anyOf) && anyOf.every((one) => isStrict(one, depth, counts))
  if (values !== undefined && !isFilledList(values)) return false
  counts.characters += charactersIn(values) + charactersIn(only)
  counts.enumValues += Array.isArray(values) ? values.length : 0
  const types = [type ?? null].flat()
  if (!types.every((one) => TYPES.has(String(one))) || type === undefined) return false
  if (types.includes('object') && !isStrictObject(schema, depth, counts)) return false
  return !types.includes('array') || isStrict(items, depth + 1, counts)
}

function isStrictObject({ properties, required, additionalProperties }: JsonObject, depth: number, counts: Counts) {
  if (depth > MOST.depth || additionalProperties !== false || !isObject(properties)) return false
  const names = Object.keys(properties)
  counts.properties += names.length
  counts.characters += names.join('').length
  if (!Array.isArray(required) || required.length !== names.length) return false
  return names.every((name) => required.includes(name)) && isEveryStrict(properties, depth + 1, counts)
}

function isEveryStrict(schemas: JsonValue, depth: number, counts: Counts): boolean {
  return isObject(schemas) && Object.values(schemas).every((one) => isStrict(one, depth, counts))
}

/** What a reference stands for; `undefined` for one that leads nowhere, or elsewhere. */
function referred(schema: JsonObject, reference: string): JsonValue | undefined {
  const [start, ...path] = reference.split('/')
  if (start !== '#') return undefined
  return path.reduce((found: JsonValue | undefined, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(found)) return /^\d+$/.test(key) ? found[Number(key)] : undefined
    return isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  }, schema)
}

function isFilledList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value) && value.length > 0
}

function charactersIn(value: JsonValue | undefined): number {
  return value === undefined ? 0 : JSON.stringify(value).length
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
