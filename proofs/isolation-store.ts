import { type Claim, canNotify, canSearch, type Notices, type RecordScope, type Records, type Store } from '@orra/core'
import type { Lookout } from './isolation-lookout.ts'

/** The same store, whose every question is first told to the lookout: whose data it is about. */
export function watchedStore(store: Store, lookout: Lookout): Store {
  const watched = {
    name: store.name,
    sessions: watchedSessions(store, lookout),
    counters: watchedCounters(store, lookout),
  }
  return {
    ...watched,
    records: watchedRecords(store.records, lookout),
    ...(canNotify(store) ? { notices: watchedNotices(store.notices, lookout) } : {}),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function watchedSessions({ sessions }: Store, { reached }: Lookout): Store['sessions'] {
  return {
    append(namespace, entries, options) {
      reached(`sessions.append ${entries.map(({ type }) => type)}`, namespace, false)
      return sessions.append(namespace, entries, options)
    },
    read(namespace, options) {
      reached('sessions.read', namespace, true)
      return sessions.read(namespace, options)
    },
    head(namespace, options) {
      reached('sessions.head', namespace, true)
      return sessions.head(namespace, options)
    },
    claim(namespace, options) {
      reached('sessions.claim', namespace, false)
      return sessions.claim(namespace, options)
    },
    delete(namespace, options) {
      reached('sessions.delete', namespace, false)
      return sessions.delete(namespace, options)
    },
    list(options) {
      reached('sessions.list', options?.within, false)
      return sessions.list(options)
    },
  }
}

function watchedRecords(records: Records, { reached }: Lookout): Records {
  const scope = ({ namespace, within }: RecordScope = {}) => namespace ?? within
  return {
    get(key, options) {
      reached(`records.get ${key.collection}`, key.namespace, true)
      return records.get(key, options)
    },
    put(key, value, options) {
      reached(`records.put ${key.collection}`, key.namespace, false)
      return records.put(key, value, options)
    },
    delete(key, options) {
      reached(`records.delete ${key.collection}`, key.namespace, false)
      return records.delete(key, options)
    },
    list(options) {
      reached('records.list', scope(options), false)
      return records.list(options)
    },
    erase(namespace, options) {
      reached('records.erase', namespace, false)
      return records.erase(namespace, options)
    },
    ...(canSearch(records)
      ? {
          search(text: string, options: RecordScope) {
            reached('records.search', scope(options), false)
            return records.search(text, options)
          },
        }
      : {}),
  }
}

function watchedCounters({ counters }: Store, { reached }: Lookout): Store['counters'] {
  return {
    reserve(claims, options) {
      for (const { namespace } of claims as readonly Claim[]) reached('counters.reserve', namespace, false)
      return counters.reserve(claims, options)
    },
    extend: (id, ttlMs, options) => counters.extend(id, ttlMs, options),
    settle: (id, amounts, options) => counters.settle(id, amounts, options),
    list(options) {
      reached('counters.list', options?.namespace ?? options?.within, false)
      return counters.list(options)
    },
    erase(namespace, options) {
      reached('counters.erase', namespace, false)
      return counters.erase(namespace, options)
    },
  }
}

function watchedNotices(notices: Notices, { reached }: Lookout): Notices {
  return {
    publish(namespace, notice) {
      reached('notices.publish', namespace, false)
      notices.publish(namespace, notice)
    },
    subscribe(namespace, listener) {
      reached('notices.subscribe', namespace, false)
      return notices.subscribe(namespace, listener)
    },
  }
}
