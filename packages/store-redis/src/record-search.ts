import { type RecordScope, type StoredRecord, wordsOf } from '@orra/core'
import type { NamespaceIndex } from './namespace-index.ts'
import { BEST, COUNT } from './record-scripts.ts'
import type { RedisAccess } from './redis-access.ts'
import { storedRecord } from './stored-record.ts'

export interface RecordPlace {
  readonly namespace: string
  readonly field: string
}

type BestReply = readonly (readonly [score: string, field: string, text: string | null])[]

/**
 * Asks every namespace in scope twice: how many records have each word, which says what the word weighs, then for its best
 * records. A word weighs the more, the fewer records have it.
 */
export async function searchRecords(
  access: RedisAccess,
  index: NamespaceIndex,
  text: string,
  { collection, namespace, within }: RecordScope,
  limit: number,
): Promise<readonly StoredRecord[]> {
  const words = [...new Set(wordsOf(text))]
  if (words.length === 0) return []
  if (namespace && within && !within.contains(namespace)) return []
  const namespaces = namespace ? [namespace.key] : await namespacesIn(index, within)
  const scope = collection === undefined ? '' : `${collection}\0`
  const ask = <Reply>(script: typeof COUNT, args: readonly (string | number)[]) =>
    Promise.all(namespaces.map((key) => access.run<Reply>(script, access.keys.records(key), [scope, ...args])))

  const counts = await ask<readonly number[]>(COUNT, words)
  const sumOf = (place: number) => counts.reduce((sum, count) => sum + (count[place] ?? 0), 0)
  const all = sumOf(0)
  const weighed = words.flatMap((word, place) => [word, Math.log(1 + all / (sumOf(place + 1) || 1))])

  const best = await ask<BestReply>(BEST, [limit, ...weighed])
  return best
    .flatMap((found, place) => found.map(([score, field, value]) => ({ place, score: Number(score), field, value })))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .flatMap(({ place, field, value }) => (value ? [storedRecord(namespaces[place] ?? '', field, value)] : []))
}

async function namespacesIn(index: NamespaceIndex, within: RecordScope['within']): Promise<readonly string[]> {
  const namespaces = new Set<string>()
  for await (const entries of index.batches(within)) for (const entry of entries) namespaces.add(entry.namespace)
  return [...namespaces]
}
