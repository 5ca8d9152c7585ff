import {
  emptyHead,
  type Lease,
  type ListOptions,
  type LoggedEntry,
  type Namespace,
  type Page,
  pageOf,
  type SessionHead,
  type SessionLog,
} from '@orra/core'
import { type IndexEntry, namespaceIndex } from './namespace-index.ts'
import type { RedisAccess } from './redis-access.ts'
import { NEXT } from './script.ts'
import { appendTo, type SessionParts } from './session-append.ts'
import { CLAIM, DELETE, READ_LOG, RELEASE, RENEW } from './session-scripts.ts'
import { foundSession, headOf, restOf, type SessionState } from './session-state.ts'
import { readState, sessionStates } from './session-states.ts'
import { spareMark } from './spare-mark.ts'
import { split } from './split.ts'

/** Reading stops after the page in which this many characters of entries are reached. */
const PAGE_CHARACTERS = 8 * 1024 * 1024

type ClaimReply = readonly ['taken' | 'held' | 'old' | 'unlisted', ...(string | number | null)[]]

export function redisSessions(access: RedisAccess): SessionLog {
  const { keys } = access
  const states = sessionStates(access)
  const listed = namespaceIndex(access, keys.sessionIndex)
  const pending = namespaceIndex(access, keys.pendingIndex)
  const parts: SessionParts = { access, states, listed, pending }

  async function head({ key }: Namespace): Promise<SessionHead | undefined> {
    const { state } = await states.read(key)
    return state && headOf(key, state)
  }

  async function claim(namespace: Namespace, owner: string, ttlMs: number): Promise<Lease | undefined> {
    const { key } = namespace
    const mark = spareMark(listed, key)
    const empty = emptyHead(namespace, access.localNow())
    let given = ''
    let lastEpoch = 0
    try {
      for (;;) {
        const epoch = await access.run<number>(NEXT, [keys.epoch], [lastEpoch])
        const args = [epoch, owner, ttlMs, empty.id, restOf(empty), given]
        const [answer, ...reply] = await access.run<ClaimReply>(CLAIM, keys.session(key), args)
        const { state } = foundSession(reply)
        if (given !== '' && state?.listed !== given) mark.giveBack(given)
        if (answer === 'taken' && state) return leaseOf(namespace, state, ttlMs)
        if (answer === 'held') return undefined
        if (answer === 'old') lastEpoch = Number(reply[0])
        if (answer === 'unlisted') await mark.drop()
        given = answer === 'unlisted' || given !== '' ? await mark.take() : ''
      }
    } finally {
      await mark.drop()
    }
  }

  function leaseOf(namespace: Namespace, state: SessionState, ttlMs: number): Lease {
    const { id, epoch } = state
    const touched = keys.session(namespace.key)
    states.remember(namespace.key, state)
    return {
      namespace,
      epoch,
      head: headOf(namespace.key, state),
      renew: async () => (await access.run(RENEW, touched, [id, epoch, ttlMs])) === 1,
      release: async () => {
        await access.run(RELEASE, touched, [id, epoch])
      },
    }
  }

  async function remove(key: string): Promise<number> {
    states.remember(key, undefined)
    const marks = await access.run<readonly [string, string | null] | null>(DELETE, keys.session(key))
    if (!marks) return 0
    await listed.remove(key, marks[0])
    if (marks[1] !== null) await pending.remove(key, marks[1])
    return 1
  }

  async function list({
    within,
    pending: onlyPending = false,
    after,
    limit = 100,
  }: ListOptions): Promise<Page<SessionHead>> {
    const index = onlyPending ? pending : listed
    const from = after === undefined ? undefined : { namespace: after, after: true }
    const items: SessionHead[] = []
    for await (const entries of index.batches(within, from)) {
      const found = await Promise.all(entries.map(({ namespace }) => readState(access, namespace)))
      const stale: IndexEntry[] = []
      for (const [place, { state, isHeld }] of found.entries()) {
        const entry = entries[place] as IndexEntry
        if (!state || entry.mark !== (onlyPending ? state.pending : state.listed)) stale.push(entry)
        else if (!(onlyPending && isHeld)) items.push(headOf(entry.namespace, state))
      }
      await index.expire(stale)
      if (items.length > limit) break
    }
    return pageOf(items, limit, ({ namespace }) => namespace)
  }

  return {
    async append(namespace, entries, options = {}) {
      options.signal?.throwIfAborted()
      return await appendTo(parts, namespace, entries, options)
    },

    async read(namespace, { after = 0, limit = 1000, signal } = {}) {
      signal?.throwIfAborted()
      const args = [after, limit, PAGE_CHARACTERS]
      const texts = await access.run<readonly string[]>(READ_LOG, keys.session(namespace.key), args)
      return texts.map((text, index) => loggedEntry(text, after + index + 1))
    },

    async head(namespace, { signal } = {}) {
      signal?.throwIfAborted()
      return await head(namespace)
    },

    async claim(namespace, { owner, ttlMs, signal }) {
      signal?.throwIfAborted()
      return await claim(namespace, owner, ttlMs)
    },

    async delete(namespace, { descendants = false, signal } = {}) {
      signal?.throwIfAborted()
      if (!descendants) return await remove(namespace.key)
      let count = 0
      for await (const entries of listed.batches(namespace)) {
        const removed = await Promise.all(entries.map((entry) => remove(entry.namespace)))
        for (const one of removed) count += one
      }
      return count
    },

    async list(options = {}) {
      options.signal?.throwIfAborted()
      return await list(options)
    },
  }
}

/** From its text in the log: the time, a colon, the entry. */
function loggedEntry(text: string, seq: number): LoggedEntry {
  const [at, entry] = split(text, ':')
  return { seq, at: Number(at), entry: JSON.parse(entry) }
}
