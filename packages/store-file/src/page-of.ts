import type { Page } from '@orra/core'

/** The first page of what is found; no more than one item beyond it is looked for. */
export async function pageOf<T>(
  found: AsyncIterable<T> | Iterable<T>,
  limit: number,
  placeOf: (item: T) => string,
): Promise<Page<T>> {
  const items: T[] = []
  if (limit === 0) return { items }
  for await (const item of found) {
    const last = items.at(-1)
    if (items.length >= limit && last !== undefined) return { items, next: placeOf(last) }
    items.push(item)
  }
  return { items }
}
