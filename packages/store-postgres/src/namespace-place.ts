import { createHash } from 'node:crypto'
import type { Namespace } from '@orra/core'
import { type Sql, sql } from './sql.ts'

/**
 * Where a namespace stands in an index. PostgreSQL's take about 2,700 bytes, and a key may have 3,072: what is longer than
 * most is cut and ends in a hash.
 */
export interface NamespacePlace {
  readonly place: string
  /** The whole key, where `place` is not. */
  readonly long: string | null
}

/** In bytes. A record's and a counter's own names must fit beside it. */
const LONGEST = 1500

/** No key holds a `%` before anything but `25` and `3A`, so no whole key looks like a cut one. */
const CUT = '%#'

export function placeOf(key: string): NamespacePlace {
  if (Buffer.byteLength(key) <= LONGEST) return { place: key, long: null }
  return { place: `${beginning(key)}${CUT}${createHash('sha256').update(key).digest('base64url')}`, long: key }
}

/** A namespace and all below it; `place` and `long` are the columns that hold what `placeOf` gives. */
export function within({ key }: Namespace, place: Sql, long: Sql): Sql {
  if (Buffer.byteLength(key) <= LONGEST) {
    // `;` follows `:`.
    return sql`(${place} = ${key} OR (${place} >= ${`${key}:`} AND ${place} < ${`${key};`}))`
  }
  const from = beginning(key) + CUT
  const exact = sql`(${long} = ${key} OR starts_with(${long}, ${`${key}:`}))`
  return sql`(${place} >= ${from} AND ${place} < ${`${from.slice(0, -1)}$`} AND ${exact})`
}

/** The first whole characters: one byte more than `LONGEST`, for what is below a key of that length to begin with it and a colon. */
function beginning(key: string): string {
  const bytes = Buffer.from(key)
  let end = LONGEST + 1
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
