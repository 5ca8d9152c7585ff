/** What survives `JSON.parse(JSON.stringify(value))` unchanged. Everything in the log is made of it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

/** Deeper than any real data, and far from where recursion ends. */
const DEEPEST = 200

/**
 * A copy of `value` as JSON keeps it, which shares nothing with it. Half surrogate pairs, left behind by text that was cut
 * in the middle of a character, are replaced: JSON parsers refuse them. Throws a `TypeError` for what JSON cannot hold.
 */
export function toJson<T>(value: T): T {
  return copy(value, 0) as T
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed()
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'object':
      return value === null ? null : copyObject(value, depth)
    default:
      throw new TypeError(`JSON cannot hold a ${typeof value}.`)
  }
}

function copyObject(value: object, depth: number): unknown {
  if (depth > DEEPEST) throw new TypeError('It is nested too deeply, or in a circle.')
  if (Array.isArray(value)) return value.map((item) => copy(item ?? null, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), depth + 1)
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(kept.map(([key, inner]) => [key.toWellFormed(), copy(inner, depth + 1)]))
}
