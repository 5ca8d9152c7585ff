import type { Page } from '@orra/core'

/** A page of what was found, which holds one item more than `limit` when there is another. `behind` reads its `next`. */
export function pageOf<T>(found: readonly T[], limit: number, placeOf: (item: T) => readonly string[]): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, next: JSON.stringify(placeOf(last)) } : { items }
}
