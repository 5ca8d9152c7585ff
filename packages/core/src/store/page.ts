import { OrraError } from '../errors.ts'

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

/** Names the place after which a page begins, for stores that look it up: its parts are what the list is ordered by. */
export function pagePlace(...parts: readonly string[]): string {
  return JSON.stringify(parts)
}

/** The parts of what `pagePlace` gave. Throws `store.invalid` for anything else. */
export function pagePartsOf(after: string, count: number): readonly string[] {
  const parts = parsed(after)
  const isOurs = Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string')
  if (isOurs) return parts
  const problem = '"after" is not the "next" of a page of this list'
  throw new OrraError('store.invalid', `The store does not take this: ${problem}.`, { details: { problem } })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
