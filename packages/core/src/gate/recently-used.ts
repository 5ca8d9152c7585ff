/** What was used last, so many values at most: the one that was not asked for the longest makes room. */
export interface RecentlyUsed<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  entries(): Iterable<readonly [key: string, value: V]>
}

export function recentlyUsed<V>(most: number): RecentlyUsed<V> {
  // A map keeps the order in which keys were set, so the first is the one that was not used for the longest.
  const values = new Map<string, V>()
  return {
    get(key) {
      const value = values.get(key)
      if (value === undefined) return undefined
      values.delete(key)
      values.set(key, value)
      return value
    },
    set(key, value) {
      values.delete(key)
      values.set(key, value)
      if (values.size <= most) return
      const [oldest] = values.keys()
      if (oldest !== undefined) values.delete(oldest)
    },
    delete: (key) => void values.delete(key),
    entries: () => values.entries(),
  }
}
