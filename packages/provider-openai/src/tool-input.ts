import type { JsonValue } from '@orra/core'

/**
 * What a tool is called with. Nothing, or `null`, is an empty object; what was written as JSON twice is read twice. Text that is
 * no JSON is kept as it is, for the tool's schema to refuse in words that the model sees.
 */
export function toToolInput(written: string): JsonValue {
  if (written.trim() === '') return {}
  const input = parsed(written)
  if (input === null) return {}
  if (typeof input !== 'string') return input ?? written
  const inner = parsed(input)
  return typeof inner === 'object' && inner !== null ? inner : input
}

/** Whether the text is a whole input, to which nothing can be added. */
export function isWhole(written: string): boolean {
  // What is still in the middle is not read again and again.
  if (!/[}\]"]\s*$/.test(written.slice(-20))) return false
  const input = parsed(written)
  return typeof input === 'string' ? typeof parsed(input) === 'object' : typeof input === 'object'
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
