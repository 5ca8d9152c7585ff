import type { JsonObject, JsonValue } from './json.ts'

/** Keywords that hold schemas: by name, in a list, or one. */
const BY_NAME = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']
const LISTS = ['prefixItems', 'anyOf', 'oneOf', 'allOf']
const SINGLE = [
  ...['items', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems', 'contains', 'propertyNames'],
  ...['not', 'if', 'then', 'else'],
]

/** Throws what would otherwise show itself only when a value is held against the schema: patterns and references that lead nowhere. */
export function checkUsable(root: JsonObject): void {
  check(root, root)
}

function check(schema: JsonValue | undefined, root: JsonObject): void {
  if (schema === undefined || typeof schema === 'boolean') return
  if (!isObject(schema)) throw new Error('a schema in it is neither an object nor true or false')
  const { pattern, patternProperties, enum: values, $ref } = schema
  for (const text of [pattern, ...Object.keys(isObject(patternProperties) ? patternProperties : {})]) {
    if (typeof text === 'string') checkPattern(text)
  }
  if (values !== undefined && !Array.isArray(values)) throw new Error('an "enum" in it is no list')
  if ($ref !== undefined && !(typeof $ref === 'string' && isThere($ref, root))) {
    throw new Error('a "$ref" in it leads to nothing in it')
  }
  for (const keyword of SINGLE) check(schema[keyword], root)
  for (const keyword of [...BY_NAME, ...LISTS]) {
    const held = schema[keyword] ?? []
    const isRight = LISTS.includes(keyword) || schema[keyword] === undefined ? Array.isArray(held) : isObject(held)
    if (!isRight) throw new Error(`the "${keyword}" in it cannot be used`)
    for (const inner of Object.values(held as JsonObject)) check(inner, root)
  }
}

function checkPattern(pattern: string): void {
  try {
    new RegExp(pattern, 'u')
  } catch {
    throw new Error('a pattern in it is no regular expression')
  }
}

/** Whether a reference is to the schema itself, or to something in it. */
function isThere(reference: string, root: JsonObject): boolean {
  if (reference === '#') return true
  if (!reference.startsWith('#/')) return false
  let at: JsonValue | undefined = root
  for (const name of decoded(reference.slice(2)).split('/')) {
    if (typeof at !== 'object' || at === null) return false
    at = (at as JsonObject)[name.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return at !== undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
