/** Whether text says nothing. */
export function isBlank(text: string): boolean {
  return !/[^\s\p{Cc}]/u.test(text)
}

/** A copy without half surrogate pairs, which servers call broken JSON, at any depth and in keys too. */
export function wellFormed<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), copy(inner)]))
}
