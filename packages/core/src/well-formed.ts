/**
 * `value` with half surrogate pairs in its texts replaced, as left behind by text that was cut in the middle of a
 * character: JSON parsers refuse them. The same object when there is nothing to replace.
 */
export function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return (value.isWellFormed() ? value : value.toWellFormed()) as T
  if (typeof value !== 'object' || value === null) return value
  const before = Object.values(value)
  const after = before.map(wellFormed)
  if (after.every((inner, index) => inner === before[index])) return value
  if (Array.isArray(value)) return after as T
  return Object.fromEntries(Object.keys(value).map((key, index) => [key, after[index]])) as T
}
