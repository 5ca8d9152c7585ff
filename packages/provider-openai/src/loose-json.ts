import type { JsonObject } from '@orra/core'

/** What a server sent, of which nothing is known. */
export interface Fields {
  readonly [name: string]: unknown
}

/** The fields of an object; none of what is no object. */
export function fieldsOf(value: unknown): Fields {
  return isJsonObject(value) ? value : {}
}

/** Whether it is an object, in JSON that was read. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The members of a list; a thing alone is a list of it, and nothing is none. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return value === undefined || value === null ? [] : [value]
}

export function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A count that can be kept; 0 for anything else. */
export function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0
}
