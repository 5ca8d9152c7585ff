import { createHash } from 'node:crypto'
import type { JsonValue } from '../json.ts'

/** SHA-256 of a value, in hexadecimal digits: the same for the same value, in whatever order its keys stand. */
export function inputHash(value: JsonValue): string {
  return createHash('sha256')
    .update(JSON.stringify(value, (_, inner: JsonValue) => (isObject(inner) ? sorted(inner) : inner)))
    .digest('hex')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
