import type Anthropic from '@anthropic-ai/sdk'
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema'
import type { JsonObject, JsonValue } from '@orra/core'

/** Of these the SDK puts what the API does not know (lengths, ranges, patterns) into descriptions. */
const KNOWN_TYPES: ReadonlySet<JsonValue | undefined> = new Set(['string', 'integer', 'number', 'boolean', 'null'])
/** What the API has nothing for. */
const UNKNOWN = ['$ref', '$defs', 'definitions', 'prefixItems', 'patternProperties', 'not', 'if', 'allOf']
/** Of the whole schema; the API refuses more. */
const MOST = { optional: 24, unions: 16 }

const formats = new WeakMap<JsonObject, { readonly format: Anthropic.JSONOutputFormat | undefined }>()

/**
 * How the API is asked to hold the reply to a schema; `undefined` where it would refuse the schema, or would allow less than the
 * schema does: it knows closed objects alone, no recursion, and no more optional fields and unions than a few.
 */
export function outputFormat(schema: JsonObject): Anthropic.JSONOutputFormat | undefined {
  const known = formats.get(schema)
  if (known) return known.format
  const format = makeFormat(schema)
  formats.set(schema, { format })
  return format
}

function makeFormat(schema: JsonObject): Anthropic.JSONOutputFormat | undefined {
  const count: Count = { optional: 0, unions: 0 }
  if (schema['type'] !== 'object' || !isClosed(schema, count)) return undefined
  if (count.optional > MOST.optional || count.unions > MOST.unions) return undefined
  // The SDK's type of a schema is its own; what it gives back is plain JSON.
  return { type: 'json_schema', schema: transformJSONSchema(schema as never) as { [key: string]: unknown } }
}

interface Count {
  optional: number
  unions: number
}

function isClosed(schema: JsonValue | undefined, count: Count): boolean {
  if (!isObject(schema)) return false
  if (UNKNOWN.some((name) => name in schema)) return false
  const { type, enum: values, const: value, anyOf, oneOf, items } = schema
  // Each of these alone says all; together they would say more than the API is told.
  const ways = [values, value, anyOf, oneOf].filter((way) => way !== undefined)
  if (ways.length > 1 || (ways.length === 1 && ('properties' in schema || 'items' in schema))) return false
  if (values !== undefined) return Array.isArray(values) && values.length > 0 && values.every(isScalar)
  if (value !== undefined) return isScalar(value)
  const variants = anyOf ?? oneOf
  if (variants !== undefined) {
    count.unions += 1
    if (!Array.isArray(variants) || variants.length === 0 || type !== undefined) return false
    return variants.every((variant) => isClosed(variant, count))
  }
  if (type === 'array') return isClosed(items, count)
  return type === 'object' ? isClosedObject(schema, count) : KNOWN_TYPES.has(type)
}

function isClosedObject({ properties, required = [], ...rest }: JsonObject, count: Count): boolean {
  if (!isObject(properties) || !Array.isArray(required)) return false
  const names = Object.keys(properties)
  count.optional += names.filter((name) => !required.includes(name)).length
  const takesOthers = 'additionalProperties' in rest && rest['additionalProperties'] !== false
  if (takesOthers || names.length === 0 || !required.every((name) => names.includes(String(name)))) return false
  return Object.values(properties).every((property) => isClosed(property, count))
}

function isScalar(value: JsonValue | undefined): boolean {
  return value === null || typeof value !== 'object'
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
