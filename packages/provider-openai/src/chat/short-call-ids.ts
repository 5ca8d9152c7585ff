import { createHash } from 'node:crypto'
import type { Message } from '@orra/core'

const SHORT = /^[A-Za-z0-9]{9}$/
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * The messages with ids of nine letters and digits, which the strictest servers want; no two calls share one before, nor
 * after. The same id always becomes the same one, whatever comes after it.
 */
export function withShortCallIds(messages: readonly Message[]): readonly Message[] {
  const short = shortCallIds()
  return messages.map((message): Message => {
    if (message.role === 'user') return message
    if (message.role === 'tool') {
      return { role: 'tool', content: message.content.map((part) => ({ ...part, callId: short(part.callId) })) }
    }
    const content = message.content.map((part) =>
      part.type === 'tool-call' ? { ...part, callId: short(part.callId) } : part,
    )
    return { role: 'assistant', content }
  })
}

function shortCallIds(): (callId: string) => string {
  const made = new Map<string, string>()
  const used = new Set<string>()
  return (callId) => {
    const known = made.get(callId)
    if (known !== undefined) return known
    let id = callId
    for (let count = 1; !SHORT.test(id) || used.has(id); count += 1) id = hashed(`${callId} ${count}`)
    made.set(callId, id)
    used.add(id)
    return id
  }
}

function hashed(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 9)
  return Array.from(bytes, (byte) => CHARACTERS[byte % CHARACTERS.length]).join('')
}
