import {
  type Claim,
  canNotify,
  canSearch,
  type DeleteOptions,
  defineTool,
  type ListOptions,
  memoryStore,
  Namespace,
  type NotifyingStore,
  type Page,
  type RecordKey,
  type RecordScope,
  type SearchableRecords,
  type SearchOptions,
  type Store,
  type Tool,
} from '@orra/core'

/** Where a store keeps everybody's things that does not know whose they are. */
const EVERYBODY = Namespace.of('everybody')

/** Records by collection and id, whoever's they are. */
export function sharedRecords(): Store {
  const store = memoryStore()
  const records = searchable(store)
  const shared = (key: RecordKey) => ({ ...key, namespace: EVERYBODY })
  const scope = ({ collection }: RecordScope = {}) => ({ collection })
  return {
    ...store,
    records: {
      ...records,
      get: (key, options) => records.get(shared(key), options),
      put: (key, value, options) => records.put(shared(key), value, options),
      delete: (key, options) => records.delete(shared(key), options),
      list: (options) => records.list({ ...options, ...scope(options), namespace: undefined, within: undefined }),
    },
  }
}

/** Everybody's amounts are held against everybody's limits, though each is told only of its own. */
export function sharedLimits(): Store {
  const store = memoryStore()
  const [own, all] = [store.counters, memoryStore().counters]
  const twins = new Map<string, string>()
  const shared = (claim: Claim) => ({ ...claim, namespace: EVERYBODY })
  return {
    ...store,
    counters: {
      ...own,
      async reserve(claims, options) {
        const together = await all.reserve(claims.map(shared), options)
        if (!together.granted) return together
        const reservation = await own.reserve(claims, options)
        if (reservation.granted) twins.set(reservation.id, together.id)
        else
          await all.settle(
            together.id,
            claims.map(() => 0),
          )
        return reservation
      },
      async settle(id, amounts, options) {
        await all.settle(twins.get(id) ?? '', amounts)
        return own.settle(id, amounts, options)
      },
    },
  }
}

/** What lies below is what begins alike: `tenant:acme2` is below `tenant:acme`. */
export function prefixSessions(): Store {
  const store = memoryStore()
  const { sessions } = store
  const alike = async ({ key }: Namespace): Promise<readonly Namespace[]> => {
    const { items } = await sessions.list({ limit: 100_000 })
    return items.flatMap(({ namespace }) => (namespace.startsWith(key) ? Namespace.parse(namespace) : []))
  }
  return {
    ...store,
    sessions: {
      ...sessions,
      async list({ within, ...options }: ListOptions = {}) {
        const all = await sessions.list({ ...options, limit: 100_000 })
        return { items: all.items.filter(({ namespace }) => namespace.startsWith(within?.key ?? '')) }
      },
      async delete(namespace: Namespace, options: DeleteOptions = {}) {
        if (!options.descendants) return sessions.delete(namespace, options)
        const deleted = await Promise.all((await alike(namespace)).map((found) => sessions.delete(found)))
        return deleted.reduce((sum, count) => sum + count, 0)
      },
    },
  }
}

/** Keys are compared as some file systems and databases do: by the look of their letters. */
export function foldedSessions(): Store {
  const store = memoryStore()
  const { sessions } = store
  const folded = ({ segments }: Namespace) =>
    Namespace.of(...(segments.map((segment) => segment.normalize('NFC').toLowerCase()) as [string]))
  return {
    ...store,
    sessions: {
      ...sessions,
      append: (namespace, entries, options) => sessions.append(folded(namespace), entries, options),
      read: (namespace, options) => sessions.read(folded(namespace), options),
      head: (namespace, options) => sessions.head(folded(namespace), options),
      claim: (namespace, options) => sessions.claim(folded(namespace), options),
      delete: (namespace, options) => sessions.delete(folded(namespace), options),
      list: ({ within, ...options } = {}) => sessions.list({ ...options, within: within && folded(within) }),
    },
  }
}

/** A single entry is found by its place, in whoever's log has one there. */
export function placesOfEverybody(): Store {
  const store = memoryStore()
  const { sessions } = store
  const read: typeof sessions.read = async (namespace, options) => {
    const own = await sessions.read(namespace, options)
    if (options?.limit !== 1) return own
    for (const head of (await sessions.list({ limit: 100_000 })).items) {
      const found = await sessions.read(Namespace.parse(head.namespace), options)
      if (found.length > 0) return found
    }
    return own
  }
  return { ...store, sessions: { ...sessions, read } }
}

/** Finds what anybody keeps. */
export function unboundedSearch(): Store {
  const store = memoryStore()
  const records = searchable(store)
  const everywhere = ({ collection, limit = 10 }: SearchOptions = {}) => ({ collection, limit })
  const bare: SearchableRecords = { ...records, search: (text, options) => records.search(text, everywhere(options)) }
  return { ...store, records: bare }
}

/** Removes more than it is asked to: what lies beside it, too. */
export function greedyErase(): Store {
  const store = memoryStore()
  const { records } = store
  return { ...store, records: { ...records, erase: (namespace) => records.erase(namespace.parent ?? namespace) } }
}

/** A page goes on in whatever comes next, below the namespace or not. */
export function overrunningPages(): Store {
  const store = memoryStore()
  const { records } = store
  const list: typeof records.list = async (options = {}) => {
    const page = await records.list(options)
    const { items, next }: Page<(typeof page.items)[number]> = await records.list({ limit: 1000 })
    return next === undefined && page.items.length > 0 ? { items: items.slice(0, page.items.length + 5) } : page
  }
  return { ...store, records: { ...records, list } }
}

/** Tells everybody what is to be told to somebody. */
export function loudNotices(): Store {
  const store = memoryStore()
  if (!canNotify(store)) throw new Error('The memory store no longer tells.')
  const { notices } = store
  const loud: NotifyingStore = {
    ...store,
    notices: {
      publish: (_, notice) => notices.publish(EVERYBODY, notice),
      subscribe: (_, listener) => notices.subscribe(EVERYBODY, listener),
    },
  }
  return loud
}

/** A tool that remembers the last call, of whomever it was. */
export function forgetlessTool(): Tool {
  let last = 'nothing'
  return defineTool({
    name: 'recent',
    description: 'Says what was said before.',
    execute(input) {
      const before = last
      last = JSON.stringify(input)
      return before
    },
  })
}

function searchable({ records }: Store): SearchableRecords {
  if (!canSearch(records)) throw new Error('The memory store can no longer search.')
  return records
}
