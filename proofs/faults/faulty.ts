import { type Lease, OrraError, type SessionLog, type Store } from '@orra/core'

/** What befalls a call of a store. */
export type Fault =
  /** It throws, and nothing was done. */
  | { readonly type: 'refused' }
  /** It throws, though it was done. */
  | { readonly type: 'unknown' }
  /** It throws, and is done all the same, so many milliseconds later. */
  | { readonly type: 'late'; readonly ms: number }
  /** It takes so many milliseconds before it begins. */
  | { readonly type: 'slow'; readonly ms: number }
  /** It is done, and its answer takes so many milliseconds. */
  | { readonly type: 'answered-slowly'; readonly ms: number }
  /** Done again, so many milliseconds after it was done. Only for what no epoch proves: a writer's append is no such call. */
  | { readonly type: 'twice'; readonly ms: number }

export type Call = 'append' | 'read' | 'head' | 'claim' | 'list' | 'renew' | 'release'

/** What befalls the next call; asked once for each. `free` says that it may be done twice. */
export type FaultPlan = (call: Call, free: boolean) => Fault | undefined

export interface FaultyStore extends Store {
  /** Resolves when nothing that was asked for is still to be done, whether somebody waits for it or not. */
  settled(): Promise<void>
}

/** A store of which every call that has to do with sessions may fail in the ways of a network; the rest is untouched. */
export function faulty(store: Store, plan: FaultPlan): FaultyStore {
  const coming = new Set<Promise<unknown>>()

  function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const result = after(ms).then(work)
    const done = result.then(
      () => void coming.delete(done),
      () => void coming.delete(done),
    )
    coming.add(done)
    return result
  }

  async function suffer<T>(call: Call, free: boolean, work: () => Promise<T>): Promise<T> {
    const fault = plan(call, free)
    switch (fault?.type) {
      case 'refused':
        throw unreachable()
      case 'late':
        later(fault.ms, work).catch(() => {})
        throw unreachable()
      case 'unknown':
        await work()
        throw unreachable()
      case 'slow':
        return later(fault.ms, work)
      case 'answered-slowly': {
        const result = await work()
        await after(fault.ms)
        return result
      }
      case 'twice': {
        const result = await work()
        if (free) later(fault.ms, work).catch(() => {})
        return result
      }
      case undefined:
        return work()
    }
  }

  return {
    ...store,
    sessions: faultySessions(store.sessions, suffer),
    async settled() {
      while (coming.size > 0) await Promise.all(coming)
    },
  }
}

type Suffer = <T>(call: Call, free: boolean, work: () => Promise<T>) => Promise<T>

function faultySessions(sessions: SessionLog, suffer: Suffer): SessionLog {
  const faultyLease = (lease: Lease): Lease => ({
    ...lease,
    renew: () => suffer('renew', true, () => lease.renew()),
    release: () => suffer('release', true, () => lease.release()),
  })
  return {
    ...sessions,
    append: (namespace, entries, options) =>
      suffer('append', options?.epoch === undefined, () => sessions.append(namespace, entries, options)),
    read: (namespace, options) => suffer('read', true, () => sessions.read(namespace, options)),
    head: (namespace, options) => suffer('head', true, () => sessions.head(namespace, options)),
    list: (options) => suffer('list', true, () => sessions.list(options)),
    claim: (namespace, options) =>
      suffer('claim', true, async () => {
        const lease = await sessions.claim(namespace, options)
        return lease && faultyLease(lease)
      }),
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function unreachable(): OrraError<'store.unusable'> {
  const problem = 'a fault was injected'
  const message = 'The store cannot be reached: a fault was injected. Do it again.'
  return new OrraError('store.unusable', message, { details: { store: 'faulty', problem }, retryable: true })
}
