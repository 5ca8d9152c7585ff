import type { JsonObject, JsonValue } from '@orra/core'
import { wellFormed } from './legal-text.ts'

/**
 * A schema as it is taken for a tool's input or an answer: an object with properties at its top, and every list with one schema
 * for its items. A union at the top, which is refused, becomes one object that is looser than it was; what the model then
 * writes is checked against the schema itself.
 */
export function toInputSchema(given: JsonObject): { readonly [key: string]: unknown } {
  const { anyOf, oneOf, allOf, not: _, enum: __, ...schema } = withItems(wellFormed(given)) as JsonObject
  const choices = [...objectsIn(anyOf), ...objectsIn(oneOf)]
  const parts = objectsIn(allOf)
  const { properties } = schema
  if (choices.length + parts.length === 0) {
    return { ...schema, type: 'object', properties: isObject(properties) ? properties : {} }
  }
  const always = [schema, ...parts].flatMap(requiredBy)
  const [first, ...others] = choices.map(requiredBy)
  const inAll = (first ?? []).filter((name) => others.every((names) => names.includes(name)))
  return {
    ...schema,
    type: 'object',
    properties: mergedProperties([schema, ...parts, ...choices]),
    required: [...new Set([...always, ...inAll])],
  }
}

/** The places of a schema where other schemas stand by name. */
const NAMED = new Set(['properties', '$defs', 'definitions', 'patternProperties'])
/** And where plain values stand, which are no schemas. */
const PLAIN = new Set(['default', 'const', 'enum', 'examples', 'required'])

function withItems(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withItems)
  if (!isObject(value)) return value
  const copied = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copiedAt(key, inner)]))
  const isList = [value['type']].flat().includes('array') || Array.isArray(value['items'])
  return isList ? { ...copied, items: itemsOf(copied) } : copied
}

/** One schema for every item: of a tuple whose members differ, a choice of them. */
function itemsOf({ items, prefixItems }: JsonObject): JsonObject {
  const tuple = [...(Array.isArray(prefixItems) ? prefixItems : []), ...(Array.isArray(items) ? items : [])]
  const all = [...tuple, ...(isObject(items) ? [items] : [])]
  const [only, ...more] = all
  if (!isObject(only) || !all.every(isObject)) return {}
  return more.length === 0 ? only : { anyOf: all }
}

function copiedAt(key: string, value: JsonValue | undefined): JsonValue {
  if (value === undefined) return null
  if (PLAIN.has(key)) return value
  if (!NAMED.has(key) || !isObject(value)) return withItems(value)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withItems(inner ?? null)]))
}

function mergedProperties(schemas: readonly JsonObject[]): { readonly [name: string]: JsonValue } {
  const found = new Map<string, Map<string, JsonValue>>()
  for (const { properties } of schemas) {
    for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
      if (property === undefined) continue
      const variants = found.get(name) ?? new Map<string, JsonValue>()
      found.set(name, variants.set(JSON.stringify(property), property))
    }
  }
  return Object.fromEntries(
    Array.from(found, ([name, variants]) => {
      const [only, ...more] = variants.values()
      return [name, more.length === 0 ? (only ?? {}) : { anyOf: [...variants.values()] }]
    }),
  )
}

function requiredBy({ required }: JsonObject): readonly string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
}

function objectsIn(list: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
