import type { Namespace } from '@orra/core'
import type { IndexEntry, NamespaceIndex } from './namespace-index.ts'
import { split } from './split.ts'

export interface FieldScope {
  readonly namespace?: Namespace | undefined
  readonly within?: Namespace | undefined
  /** The namespace and the field, with a NUL between, after which to begin. */
  readonly after?: string | undefined
}

/** What one namespace has, and its mark; see `namespace-index.ts`. */
export interface NamespaceFields<T> {
  readonly mark: string | null
  readonly found: readonly T[]
}

/**
 * Goes through namespaces in order until `count` things are found. `look` finds up to so many in one of them, after a field
 * where one is given.
 */
export async function fieldsInScope<T>(
  index: NamespaceIndex,
  { namespace, within, after }: FieldScope,
  count: number,
  look: (namespace: string, after: string | undefined, count: number) => Promise<NamespaceFields<T>>,
): Promise<readonly T[]> {
  if (namespace && within && !within.contains(namespace)) return []
  const [first, field] = after === undefined ? [] : split(after, '\0')
  const afterIn = (key: string) => (key === first ? field : undefined)
  if (namespace) {
    const isPassed = first !== undefined && first !== namespace.key && isBefore(namespace.key, first)
    return isPassed ? [] : (await look(namespace.key, afterIn(namespace.key), count)).found
  }
  const from = first === undefined ? undefined : { namespace: first, after: false }
  const all: T[] = []
  for await (const entries of index.batches(within, from)) {
    const looked = await Promise.all(entries.map((entry) => look(entry.namespace, afterIn(entry.namespace), count)))
    const stale: IndexEntry[] = []
    for (const [place, { mark, found }] of looked.entries()) {
      const entry = entries[place] as IndexEntry
      if (entry.mark === mark) all.push(...found)
      else stale.push(entry)
    }
    await index.expire(stale)
    if (all.length >= count) break
  }
  return all.slice(0, count)
}

/** As Redis orders, by bytes. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
}
