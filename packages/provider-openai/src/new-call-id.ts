import { randomBytes } from 'node:crypto'

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * An id that no other call has. Those that servers give are missing, counted from 0 in every reply, or the tool's name, and
 * nothing but the next request needs them. Nine letters and digits are what the strictest servers take.
 */
export function newCallId(): string {
  return Array.from(randomBytes(9), (byte) => CHARACTERS[byte % CHARACTERS.length]).join('')
}
