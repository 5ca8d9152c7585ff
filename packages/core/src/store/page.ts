import type { Page } from './store.ts'

/** The first page of what was found, which holds at least one item more than `limit` when there is another page. `placeOf` names where the next one begins. */
export function pageOf<T>(found: readonly T[], limit: number, placeOf: (item: T) => string): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, next: placeOf(last) } : { items }
}
