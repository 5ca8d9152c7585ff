import { toJson } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import { checkOptions, type OptionNames } from '../options.ts'
import type { LoggedEntry } from './entry.ts'
import { emptyHead, planAppend, type SessionHead } from './session-head.ts'
import type { Lease, SessionLog, Store } from './store.ts'

export interface MemoryStoreOptions {
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

interface Session {
  head: SessionHead
  readonly entries: LoggedEntry[]
  readonly keys: Map<string, number>
  owner?: string | undefined
  leaseEndsAt: number
}

/** A store that lives and dies with this object: for tests, and for conversations that need not last. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  checkOptions('memoryStore', options, { now: true } satisfies OptionNames<MemoryStoreOptions>)
  return {
    name: 'memory',
    sessions: memorySessions(options.now ?? Date.now),
    [Symbol.asyncDispose]: async () => {},
  }
}

function memorySessions(now: () => number): SessionLog {
  const sessions = new Map<string, Session>()
  let lastEpoch = 0

  const open = (namespace: Namespace): Session => {
    let session = sessions.get(namespace.key)
    if (!session) {
      session = { head: emptyHead(namespace, now()), entries: [], keys: new Map(), leaseEndsAt: 0 }
      sessions.set(namespace.key, session)
    }
    return session
  }

  return {
    async append(namespace, entries, { epoch, signal } = {}) {
      signal?.throwIfAborted()
      const known = sessions.get(namespace.key)
      const seqOfKey = (key: string) => known?.keys.get(key)
      const plan = planAppend(namespace, known?.head, toJson(entries), { epoch, now: now(), seqOfKey })
      if (plan.logged.length === 0) return { head: plan.head, seqs: plan.seqs }
      const session = open(namespace)
      session.head = freeze(plan.head)
      for (const place of plan.logged) {
        session.entries.push(freeze(place))
        if (place.entry.type === 'input') session.keys.set(place.entry.key, place.seq)
      }
      return { head: session.head, seqs: plan.seqs }
    },

    async read(namespace, { after = 0, limit = 1000, signal } = {}) {
      signal?.throwIfAborted()
      return sessions.get(namespace.key)?.entries.slice(after, after + limit) ?? []
    },

    async head(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      return sessions.get(namespace.key)?.head
    },

    async claim(namespace, { owner, ttlMs, signal }) {
      signal?.throwIfAborted()
      const session = open(namespace)
      if (session.owner !== undefined && session.leaseEndsAt > now()) return undefined
      const epoch = ++lastEpoch
      session.owner = owner
      session.leaseEndsAt = now() + ttlMs
      session.head = freeze({ ...session.head, epoch })
      const held = () => sessions.get(namespace.key) === session && session.head.epoch === epoch
      return {
        namespace,
        epoch,
        head: session.head,
        async renew() {
          if (!held()) return false
          session.leaseEndsAt = now() + ttlMs
          return true
        },
        async release() {
          if (held()) session.owner = undefined
        },
      } satisfies Lease
    },

    async delete(namespace, { descendants = false, signal } = {}) {
      signal?.throwIfAborted()
      let count = 0
      for (const key of [...sessions.keys()]) {
        if (key !== namespace.key && !(descendants && key.startsWith(`${namespace.key}:`))) continue
        sessions.delete(key)
        count += 1
      }
      return count
    },

    async list({ within, after, limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const keys = [...sessions.keys()].filter(
        (key) => !within || key === within.key || key.startsWith(`${within.key}:`),
      )
      const rest = keys.sort().filter((key) => after === undefined || key > after)
      const items = rest.slice(0, limit).flatMap((key) => sessions.get(key)?.head ?? [])
      const last = items.at(-1)
      return rest.length > limit && last ? { items, next: last.namespace } : { items }
    },
  }
}

/** Entries are frozen once, when they come in, so that they can be handed out without copying. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) freeze(inner)
    Object.freeze(value)
  }
  return value
}
