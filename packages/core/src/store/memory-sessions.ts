import { toJson } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { LoggedEntry } from './entry.ts'
import { freeze } from './freeze.ts'
import { pageOf } from './page.ts'
import { emptyHead, isPending, planAppend, type SessionHead } from './session-head.ts'
import type { Lease, SessionLog } from './session-log.ts'
import { inSubtree } from './subtree.ts'

interface Session {
  head: SessionHead
  readonly entries: LoggedEntry[]
  readonly keys: Map<string, number>
  owner?: string | undefined
  leaseEndsAt: number
}

export function memorySessions(now: () => number): SessionLog {
  const sessions = new Map<string, Session>()
  let lastEpoch = 0
  const isHeld = ({ owner, leaseEndsAt }: Session) => owner !== undefined && leaseEndsAt > now()

  const open = (namespace: Namespace): Session => {
    let session = sessions.get(namespace.key)
    if (!session) {
      session = { head: emptyHead(namespace, now()), entries: [], keys: new Map(), leaseEndsAt: 0 }
      sessions.set(namespace.key, session)
    }
    return session
  }

  return {
    async append(namespace, entries, { signal, ...conditions } = {}) {
      signal?.throwIfAborted()
      const known = sessions.get(namespace.key)
      const seqOfKey = (key: string) => known?.keys.get(key)
      const plan = planAppend(namespace, known?.head, toJson(entries), { ...conditions, now: now(), seqOfKey })
      if (plan.logged.length === 0) return { head: plan.head, seqs: plan.seqs, written: 0 }
      const session = open(namespace)
      session.head = freeze(plan.head)
      for (const place of plan.logged) {
        session.entries.push(freeze(place))
        if (place.entry.type === 'input') session.keys.set(place.entry.key, place.seq)
      }
      return { head: session.head, seqs: plan.seqs, written: plan.logged.length }
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
      if (isHeld(session)) return undefined
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
        if (key !== namespace.key && !(descendants && inSubtree(key, namespace))) continue
        sessions.delete(key)
        count += 1
      }
      return count
    },

    async list({ within, pending = false, after = '', limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const wanted = ([key, session]: readonly [string, Session]) =>
        key > after && inSubtree(key, within) && (!pending || (isPending(session.head) && !isHeld(session)))
      const found = [...sessions].filter(wanted).sort(([a], [b]) => (a < b ? -1 : 1))
      return pageOf(
        found.map(([, { head }]) => head),
        limit,
        (head) => head.namespace,
      )
    },
  }
}
