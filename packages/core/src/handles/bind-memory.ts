import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import { checkOptions } from '../options.ts'
import { checkRecordKey } from '../store/checks.ts'
import { canSearch, type RecordKey, type Records, type StoredRecord } from '../store/records.ts'
import { rankByWords, wordsOf } from '../store/words.ts'
import { checkedLimit, invalid } from './bind-records.ts'
import type { BoundMemory, Memory } from './bound-memory.ts'

/** Where memories are kept: records of this collection, in the namespace that they are of. */
const COLLECTION = 'memory'

/** How many are read at a time where the store cannot search. */
const PAGE = 500

/** What is remembered of `namespace`, until `signal` aborts. */
export function bindMemory(records: Records, namespace: Namespace, signal: AbortSignal): BoundMemory {
  const keyOf = (id: string): RecordKey => {
    const key = { collection: COLLECTION, namespace, id }
    checkRecordKey(key)
    return key
  }

  async function everything(): Promise<readonly StoredRecord[]> {
    const all: StoredRecord[] = []
    let after: string | undefined
    do {
      const place = after === undefined ? {} : { after }
      const page = await records.list({ collection: COLLECTION, namespace, limit: PAGE, signal, ...place })
      all.push(...page.items)
      after = page.next
    } while (after !== undefined)
    return all
  }

  return {
    async remember(text, options = {}) {
      checkOptions('memory.remember', options, { id: true, about: true })
      const { id = crypto.randomUUID(), about } = options
      if (typeof text !== 'string' || text.trim() === '') throw invalid('a memory is text, and not empty')
      if (about !== undefined && !isObject(about)) throw invalid('what is said about a memory is an object')
      await records.put(keyOf(id), { text, ...(about === undefined ? {} : { about }) }, { signal })
      return id
    },

    async recall(query, options = {}) {
      checkOptions('memory.recall', options, { limit: true })
      const limit = checkedLimit(options.limit ?? 10)
      if (typeof query !== 'string') throw invalid('memories are found by text')
      signal.throwIfAborted()
      if (wordsOf(query).length === 0) return []
      const found = canSearch(records)
        ? await records.search(query, { collection: COLLECTION, namespace, limit, signal })
        : rankByWords(await everything(), query, limit)
      return found.flatMap(memoryIn)
    },

    async forget(id) {
      return records.delete(keyOf(id), { signal })
    },
  }
}

/** None for a record that something else put there. */
function memoryIn({ id, value, updatedAt }: StoredRecord): readonly Memory[] {
  if (!isObject(value)) return []
  const { text, about } = value
  if (typeof text !== 'string') return []
  return [{ id, text, ...(isObject(about) ? { about } : {}), updatedAt }]
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
