/** Says where something is wrong, and what. */
export type Say = (where: string, what: string) => void

export type Fields = { readonly [name: string]: unknown }

/** What OpenAI would refuse of a schema, also in strict mode. */
export function checkSchema(schema: unknown, isStrict: boolean, where: string, say: Say) {
  const top = fieldsOf(schema)
  if (top['type'] !== 'object') say(where, 'has a schema that is of no object')
  if (!isObject(top['properties'])) say(where, 'has a schema without properties')
  for (const key of ['anyOf', 'oneOf', 'allOf', 'not', 'enum']) {
    if (key in top) say(where, `has a schema with ${key} at its top`)
  }
  checkInner(top, isStrict, where, say)
}

const STRICT = new Set([
  ...['$schema', '$ref', '$defs', 'title', 'description', 'type', 'enum', 'const', 'anyOf', 'properties', 'required'],
  ...['additionalProperties', 'items', 'minItems', 'maxItems', 'format', 'pattern'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
])

function checkInner(schema: unknown, isStrict: boolean, where: string, say: Say) {
  if (!isObject(schema)) return isStrict && say(where, 'has a strict schema that is no object')
  const { type, properties, required, additionalProperties, items, prefixItems, anyOf, oneOf, allOf, $defs } = schema
  const types = [type].flat()
  if (types.includes('array') && !isObject(items)) say(where, 'has a list without items')
  if (Array.isArray(items)) say(where, 'has several items')
  if (isStrict) {
    const unknown = Object.keys(schema).find((key) => !STRICT.has(key))
    if (unknown !== undefined) say(where, `has a strict schema with ${unknown}`)
    if (types.includes('object')) {
      const names = Object.keys(fieldsOf(properties))
      if (additionalProperties !== false) say(where, 'has a strict schema that allows more')
      if (!names.every((name) => Array.isArray(required) && required.includes(name)))
        say(where, 'has a strict schema with an optional property')
    }
  }
  const named = [...Object.values(fieldsOf(properties)), ...Object.values(fieldsOf($defs))]
  const inner = [
    ...named,
    ...listOf(anyOf),
    ...listOf(oneOf),
    ...listOf(allOf),
    ...listOf(prefixItems),
    ...(isObject(items) ? [items] : []),
  ]
  for (const one of inner) checkInner(one, isStrict, where, say)
  return undefined
}

export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text that is not blank. */
export function isFilled(value: unknown): value is string {
  return typeof value === 'string' && /[^\s\p{Cc}]/u.test(value)
}
