import { OrraError } from '@orra/core'

/** Names the place after which a page begins; its parts are what the list is ordered by. */
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
