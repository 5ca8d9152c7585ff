export interface StoreOptions {
  /** Aborted before the call begins, nothing is done and its reason is thrown. What has begun is finished. */
  readonly signal?: AbortSignal | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; absent on the last one. To be handed back as `after`, and not to be read. */
  readonly next?: string
}

export interface PageOptions extends StoreOptions {
  /** The `next` of the page before. */
  readonly after?: string
  /** @default 100 */
  readonly limit?: number
}

/** The first page of what was found, which holds at least one item more than `limit` when there is another page. `placeOf` names where the next one begins. */
export function pageOf<T>(found: readonly T[], limit: number, placeOf: (item: T) => string): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, next: placeOf(last) } : { items }
}
