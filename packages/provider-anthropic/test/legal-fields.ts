/** Says where something is wrong, and what. */
export type Say = (where: string, what: string) => void

export type Fields = { readonly [name: string]: unknown }

export function blocksOf(message: unknown): readonly Fields[] {
  if (!isObject(message)) return []
  const { content } = message
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content)
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text that is not blank. */
export function isFilled(value: unknown): value is string {
  return typeof value === 'string' && /[^\s\p{Cc}]/u.test(value)
}
