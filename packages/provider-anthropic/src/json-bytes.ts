const known = new WeakMap<object, number>()

/** How long something is as JSON in UTF-8, measured once for as long as it lives. */
export function jsonBytes(value: object): number {
  const before = known.get(value)
  if (before !== undefined) return before
  const bytes = Buffer.byteLength(JSON.stringify(value))
  known.set(value, bytes)
  return bytes
}
