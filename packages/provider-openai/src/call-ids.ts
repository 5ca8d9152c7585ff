import { createHash } from 'node:crypto'

/** The longest id that the Responses API takes. */
const MOST_CHARACTERS = 64

/** Gives the next id of a request that is like this one and that no other call of the request has. */
export type CallIds = (callId: string) => string

/** Ids of other providers may be longer, or hold other characters; the same id always becomes the same. */
export function toCallId(callId: string): string {
  if (callId.length <= MOST_CHARACTERS && /^[a-zA-Z0-9_-]+$/.test(callId)) return callId
  return `call_${createHash('sha256').update(callId).digest('hex').slice(0, 32)}`
}

/** Of calls that share an id, the second gets another one, which depends on nothing but the ids before it. */
export function callIds(): CallIds {
  const counts = new Map<string, number>()
  const used = new Set<string>()
  return (callId) => {
    const id = toCallId(callId)
    let count = counts.get(id) ?? 1
    let unused = id
    while (used.has(unused)) {
      count += 1
      const suffix = `-${count}`
      unused = id.slice(0, MOST_CHARACTERS - suffix.length) + suffix
    }
    counts.set(id, count)
    used.add(unused)
    return unused
  }
}
