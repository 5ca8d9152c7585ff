import { canSearch, isPending, Namespace, type Store } from '@orra/core'
import { redisStore } from '@orra/store-redis'
import { createClient } from 'redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { ended, input, message, started } from './entries.ts'
import { dyingAt, hookedClient } from './hooked-client.ts'

const HOUR_MS = 60 * 60 * 1000
const names = ['a', 'a:b'].map(Namespace.parse)
const claimed = Namespace.of('b')
const note = (namespace: Namespace) => ({ collection: 'note', namespace, id: 'one' })
const claims = names.map((namespace) => ({ namespace, counter: 'usd', window: 'day', amount: 1 }))

/** Everything that makes, changes or removes entries of an index. */
async function work({ sessions, records, counters }: Store): Promise<void> {
  for (const namespace of names) {
    await sessions.append(namespace, [{ type: 'metadata', set: { title: 'T' } }])
    await sessions.append(namespace, [input('one')])
    const lease = await sessions.claim(namespace, { owner: 'me', ttlMs: 1 })
    const epoch = lease?.epoch ?? 0
    await sessions.append(namespace, [started('one'), message('one')], { epoch })
    await sessions.append(namespace, [ended('one')], { epoch })
    await sessions.append(namespace, [input('two')])
    await records.put(note(namespace), 'some words')
  }
  const reserved = await counters.reserve(claims, { ttlMs: 1000 })
  if (reserved.granted) await counters.settle(reserved.id, [1, 2])
  for (const namespace of names) await records.delete(note(namespace))
  await counters.erase(names[0] as Namespace)
  await sessions.delete(names[0] as Namespace, { descendants: true })
  await sessions.claim(names[1] as Namespace, { owner: 'me', ttlMs: 1 })
}

/** One of everything for each of two namespaces, and a third session that only a claim makes. */
async function make({ sessions, records, counters }: Store): Promise<void> {
  for (const namespace of names) {
    await sessions.append(namespace, [input('one')])
    await records.put(note(namespace), 'some words')
  }
  await counters.reserve(claims, { ttlMs: 100 * HOUR_MS })
  const lease = await sessions.claim(claimed, { owner: 'me', ttlMs: 1000 })
  await lease?.release()
}

/** What there is, and what the lists say there is. */
async function found({ sessions, records, counters }: Store) {
  const heads = (await Promise.all([...names, claimed].map((namespace) => sessions.head(namespace)))).filter(
    (head) => head !== undefined,
  )
  const notes = await Promise.all(names.map((namespace) => records.get(note(namespace))))
  const amounts = await Promise.all(names.map((namespace) => counters.list({ namespace })))
  return {
    there: {
      sessions: heads,
      pending: heads.filter(isPending),
      records: notes.filter((record) => record !== undefined),
      words: notes.filter((record) => record !== undefined),
      counters: amounts.flatMap(({ items }) => items),
    },
    listed: {
      sessions: (await sessions.list()).items,
      pending: (await sessions.list({ pending: true })).items,
      records: (await records.list()).items,
      words: canSearch(records) ? await records.search('words') : [],
      counters: (await counters.list()).items,
    },
  }
}

await describeRedis('the lists', (url) => {
  async function place() {
    const { prefix, [Symbol.asyncDispose]: deleteKeys } = scratchPrefix(url)
    const client = createClient({ url })
    await client.connect()
    let time = 1_700_000_000_000
    const now = () => time
    return {
      ...{ prefix, client, now },
      store: redisStore(client, { prefix, now }),
      advance: (ms: number) => {
        time += ms
      },
      indexed: async () => {
        const indexes = ['sessions', 'pending', 'record-namespaces', 'counter-namespaces']
        const counts = await Promise.all(indexes.map((name) => client.zCard(`${prefix}:${name}`)))
        return counts.reduce((sum, count) => sum + count, 0)
      },
      deleteKeys,
      async [Symbol.asyncDispose]() {
        await deleteKeys()
        client.destroy()
      },
    }
  }

  it('miss nothing, wherever the process dies that writes, and forget what is not there', async () => {
    await using at = await place()
    const { prefix, now } = at
    const whole = hookedClient(at.client)
    await using living = redisStore(whole.client, { prefix, now })
    await work(living)
    expect(whole.calls()).toBeGreaterThan(40)
    await at.deleteKeys()

    for (let call = 2; call <= whole.calls(); call += 1) {
      for (const when of ['before', 'after'] as const) {
        const { client } = hookedClient(at.client, dyingAt(call, when))
        await using dying = redisStore(client, { prefix, now })
        await work(dying).catch(() => {})
        // Its lease runs out.
        at.advance(1)
        const { there, listed } = await found(at.store)
        expect(listed, `dead ${when} call ${call}`).toEqual(there)

        at.advance(HOUR_MS)
        await found(at.store)
        const after = await found(at.store)
        const namespaces = new Set(after.there.counters.map(({ namespace }) => namespace))
        const { sessions, pending, records } = after.there
        const wanted = sessions.length + pending.length + records.length + namespaces.size
        expect(await at.indexed(), `dead ${when} call ${call}`).toBe(wanted)
        await at.deleteKeys()
      }
    }
  })

  it('forget nothing that is only being made while they are read', async () => {
    await using at = await place()
    const look = async () => {
      at.advance(1)
      await found(at.store)
    }
    const { client } = hookedClient(at.client, { before: look })
    await using watched = redisStore(client, { prefix: at.prefix, now: at.now })
    for (const namespace of names) {
      await watched.sessions.append(namespace, [input('one')])
      await watched.records.put(note(namespace), 'some words')
    }
    await watched.counters.reserve(claims, { ttlMs: HOUR_MS })
    const { there, listed } = await found(at.store)
    expect(listed).toEqual(there)
    expect(there.pending).toHaveLength(2)
  })

  it('miss nothing of a process that stands still for hours, wherever it does, while others look', async () => {
    await using at = await place()
    const whole = hookedClient(at.client)
    await using running = redisStore(whole.client, { prefix: at.prefix, now: at.now })
    await make(running)
    await at.deleteKeys()

    for (let still = 1; still <= whole.calls(); still += 1) {
      const standStill = async (call: number) => {
        if (call !== still) return
        at.advance(2 * HOUR_MS)
        await found(at.store)
      }
      const { client } = hookedClient(at.client, { after: standStill })
      await using stopped = redisStore(client, { prefix: at.prefix, now: at.now })
      await make(stopped)
      const { there, listed } = await found(at.store)
      expect(listed, `still after call ${still}`).toEqual(there)
      expect(there.pending).toHaveLength(2)

      at.advance(2 * HOUR_MS)
      await found(at.store)
      const { sessions, pending, records, counters } = (await found(at.store)).there
      const wanted = sessions.length + pending.length + records.length + counters.length
      expect(await at.indexed(), `still after call ${still}`).toBe(wanted)
      await at.deleteKeys()
    }
  })

  it('miss nothing after a process stood still for hours that had looked', async () => {
    await using at = await place()
    const [namespace] = names as [Namespace]
    const looked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const still = hookedClient(at.client, {
      // The schema, the entries, the session that is not there yet.
      after: async (call) => {
        if (call !== 3) return
        looked.resolve()
        await goOn.promise
      },
    })
    await using looking = redisStore(still.client, { prefix: at.prefix, now: at.now })
    let listing: Promise<unknown> | undefined
    const writing = hookedClient(at.client, {
      // The schema, the session, two marks, and then what is written.
      before: async (call) => {
        if (call !== 5) return
        listing = looking.sessions.list({ pending: true })
        await looked.promise
      },
    })
    await using written = redisStore(writing.client, { prefix: at.prefix, now: at.now })
    await written.sessions.append(namespace, [input('one')])
    at.advance(2 * HOUR_MS)
    goOn.resolve()
    await listing
    expect((await at.store.sessions.list({ pending: true })).items).toHaveLength(1)
  })

  it('are right after many have written, emptied and deleted at once', async () => {
    await using at = await place()
    const stores = [at.store, redisStore(at.client, { prefix: at.prefix, now: at.now })]
    const rounds = Array.from({ length: 40 }, async (_, round) => {
      const { sessions, records, counters } = stores[round % 2] as Store
      const namespace = names[round % 3 === 0 ? 0 : 1] as Namespace
      await sessions.append(namespace, [input(`${round}`)])
      await records.put(note(namespace), `words ${round}`)
      const reserved = await counters.reserve(claims, { ttlMs: 1000 })
      if (round % 4 === 0) await sessions.delete(namespace)
      if (round % 5 !== 0) await sessions.append(namespace, [{ type: 'input-withdrawn', input: `${round}` }])
      await records.delete(note(namespace))
      if (reserved.granted && round % 3 === 0) await counters.settle(reserved.id, [1, 1])
      if (round % 7 === 0) await counters.erase(namespace)
    })
    await Promise.all(rounds)
    const { there, listed } = await found(at.store)
    expect(listed).toEqual(there)
  })

  it('let go of what ended long ago', async () => {
    await using at = await place()
    const endsAt = at.now() + 1000
    const [claim] = claims
    await at.store.counters.reserve([{ ...claim, endsAt } as never], { ttlMs: 1000 })
    expect(await at.indexed()).toBe(1)
    at.advance(25 * HOUR_MS)
    expect((await at.store.counters.list()).items).toEqual([])
    expect(await at.client.keys(`${at.prefix}*`)).toEqual([`${at.prefix}:schema`])
  })
})

await describeRedis('an append', (url) => {
  it('is one call where the session is remembered, and one more where it gets work or has none left', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    const client = createClient({ url })
    await client.connect()
    const counted = hookedClient(client)
    const { sessions } = redisStore(counted.client, { prefix })
    const [namespace] = names as [Namespace]
    await sessions.append(namespace, [input('one')])
    const { epoch = 0 } = (await sessions.claim(namespace, { owner: 'me', ttlMs: 1000 })) ?? {}
    const calls = async (work: () => Promise<unknown>) => {
      const before = counted.calls()
      await work()
      return counted.calls() - before
    }
    expect(await calls(() => sessions.append(namespace, [started('one'), message('one')], { epoch }))).toBe(1)
    expect(await calls(() => sessions.append(namespace, [input('two')]))).toBe(1)
    expect(await calls(() => sessions.append(namespace, [ended('one'), message('two')], { epoch }))).toBe(2)
    expect(await calls(() => sessions.append(namespace, [input('three')]))).toBe(2)
    client.destroy()
  })
})
