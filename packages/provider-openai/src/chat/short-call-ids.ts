import { createHash } from 'node:crypto'
import type { CallIds } from '../call-ids.ts'

const SHORT = /^[A-Za-z0-9]{9}$/
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Ids of nine letters and digits, which the strictest servers want. The same calls always get the same ones, whatever comes
 * after them; one that is as it should be is kept.
 */
export function shortCallIds(): CallIds {
  const used = new Set<string>()
  return (callId) => {
    let id = callId
    for (let count = 1; !SHORT.test(id) || used.has(id); count += 1) id = hashed(`${callId} ${count}`)
    used.add(id)
    return id
  }
}

function hashed(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 9)
  return Array.from(bytes, (byte) => CHARACTERS[byte % CHARACTERS.length]).join('')
}
