import {
  type Claim,
  type Counters,
  canNotify,
  canSearch,
  type Lease,
  type RecordKey,
  type Records,
  type SessionLog,
  type Store,
} from '@orra/core'
import { counterName, type Journal, recordName } from './journal.ts'
import type { Steps } from './steps.ts'

/** A store whose every write can be died at, and which witnesses what it returned for. */
export function steppedStore(store: Store, steps: Steps, journal: Journal): Store {
  const stepped: Store = {
    name: store.name,
    sessions: steppedSessions(store.sessions, steps, journal),
    records: steppedRecords(store.records, steps, journal),
    counters: steppedCounters(store.counters, steps, journal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
  return canNotify(store) ? Object.assign(stepped, { notices: store.notices }) : stepped
}

function steppedSessions(sessions: SessionLog, { around, nameOf }: Steps, journal: Journal): SessionLog {
  const steppedLease = (lease: Lease): Lease => {
    const { namespace, epoch, head } = lease
    return {
      namespace,
      epoch,
      head,
      renew: () => around(`renew in ${nameOf(namespace)}`, () => lease.renew()),
      release: () => around(`release in ${nameOf(namespace)}`, () => lease.release()),
    }
  }

  return {
    append(namespace, entries, options) {
      const what = entries.map(({ type }) => type).join('+')
      return around(
        `append ${what} in ${nameOf(namespace)}`,
        () => sessions.append(namespace, entries, options),
        ({ head }) => journal.write({ type: 'appended', namespace: namespace.key, length: head.length }),
      )
    },
    async claim(namespace, options) {
      const lease = await around(`claim in ${nameOf(namespace)}`, () => sessions.claim(namespace, options))
      return lease && steppedLease(lease)
    },
    delete(namespace, options = {}) {
      const { descendants = false } = options
      journal.write({ type: 'deleting-sessions', namespace: namespace.key, descendants })
      return around(`delete in ${nameOf(namespace)}`, () => sessions.delete(namespace, options))
    },
    read: (namespace, options) => sessions.read(namespace, options),
    head: (namespace, options) => sessions.head(namespace, options),
    list: (options) => sessions.list(options),
  }
}

function steppedRecords(records: Records, { around, nameOf }: Steps, journal: Journal): Records {
  const told = ({ collection, namespace, id }: RecordKey) => recordName({ collection, namespace: namespace.key, id })
  const stepped: Records = {
    put(key, value, options) {
      const { collection, namespace } = key
      return around(
        `put of ${collection} in ${nameOf(namespace)}`,
        () => records.put(key, value, options),
        ({ version }) => journal.write({ type: 'put', record: told(key), namespace: namespace.key, version }),
      )
    },
    delete(key, options) {
      journal.write({ type: 'deleting-record', record: told(key) })
      return around(`delete of ${key.collection} in ${nameOf(key.namespace)}`, () => records.delete(key, options))
    },
    erase(namespace, options) {
      journal.write({ type: 'erasing-records', namespace: namespace.key })
      return around(`erase of records in ${nameOf(namespace)}`, () => records.erase(namespace, options))
    },
    get: (key, options) => records.get(key, options),
    list: (options) => records.list(options),
  }
  if (!canSearch(records)) return stepped
  const search: typeof records.search = (text, options) => records.search(text, options)
  return Object.assign(stepped, { search })
}

function steppedCounters(counters: Counters, { around, nameOf }: Steps, journal: Journal): Counters {
  const reserved = new Map<string, readonly Claim[]>()

  function witness(id: string, amounts: readonly number[]): void {
    for (const [index, { namespace, counter, window, endsAt }] of (reserved.get(id) ?? []).entries()) {
      // A counter goes when its window ends.
      if (endsAt !== undefined) continue
      const name = counterName(namespace.key, counter, window)
      journal.write({ type: 'settled', counter: name, namespace: namespace.key, amount: amounts[index] ?? 0 })
    }
  }

  return {
    reserve(claims, options) {
      return around(
        `reserve in ${claims[0] ? nameOf(claims[0].namespace) : 'nothing'}`,
        () => counters.reserve(claims, options),
        (reservation) => {
          if (reservation.granted) reserved.set(reservation.id, claims)
        },
      )
    },
    extend: (id, ttlMs, options) => around('extend', () => counters.extend(id, ttlMs, options)),
    settle(id, amounts, options) {
      return around(
        'settle',
        () => counters.settle(id, amounts, options),
        (settled) => {
          if (settled) witness(id, amounts)
        },
      )
    },
    erase(namespace, options) {
      journal.write({ type: 'erasing-counters', namespace: namespace.key })
      return around(`erase of counters in ${nameOf(namespace)}`, () => counters.erase(namespace, options))
    },
    list: (options) => counters.list(options),
  }
}
