import { type Entry, Namespace } from '@orra/core'
import { type PostgresStore, postgresStore } from '@orra/store-postgres'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'
import { administrator } from './admin.ts'

const bob = Namespace.of('bob')
const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1, limit: 1 }
const key = { collection: 'memory', namespace: bob, id: 'one' }

function input(text: string): Entry {
  return { type: 'input', key: text, message: { role: 'user', content: [{ type: 'text', text }] } }
}

async function firstNotice({ notices }: PostgresStore) {
  const { promise: first, resolve } = Promise.withResolvers<unknown>()
  await notices.subscribe(bob, resolve)
  return { first }
}

await describePostgres('a database', (url) => {
  it('may get its tables from many stores at once', async () => {
    await using scratch = scratchSchema(url)
    const stores = Array.from({ length: 8 }, () => postgresStore(url, { ...scratch, poolSize: 2 }))
    const appends = stores.map((store, index) => store.sessions.append(bob, [input(`${index}`)]))
    const seqs = (await Promise.all(appends)).flatMap((result) => result.seqs)
    expect(seqs.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  it('may hold stores that know nothing of each other, and an application’s own tables', async () => {
    await using scratch = scratchSchema(url)
    await using second = scratchSchema(url)
    await using admin = await administrator(url)
    const { schema } = scratch
    await admin.column(`CREATE SCHEMA "${schema}"`)
    await admin.column(`CREATE TABLE "${schema}".session AS SELECT 'mine' AS id`)
    await using one = postgresStore(url, scratch)
    await using others = new AsyncDisposableStack()
    const apart = [postgresStore(url, second), postgresStore(url, { schema, prefix: 'other_' })]
    for (const other of apart) others.use(other)
    const heard = await Promise.all([one, ...apart].map((store) => firstNotice(store)))

    await one.sessions.append(bob, [input('a')])
    await one.records.put(key, 'word')
    expect(await one.counters.reserve([claim], { ttlMs: 60_000 })).toMatchObject({ granted: true })
    one.notices.publish(bob, { from: 'one' })
    expect(await heard[0]?.first).toEqual({ from: 'one' })
    for (const [index, other] of apart.entries()) {
      expect(await other.sessions.list()).toEqual({ items: [] })
      expect(await other.records.search('word')).toEqual([])
      expect(await other.counters.reserve([claim], { ttlMs: 60_000 })).toMatchObject({ granted: true })
      // What was published before would have come before.
      other.notices.publish(bob, { from: index })
      expect(await heard[index + 1]?.first).toEqual({ from: index })
    }
    expect(await admin.column(`SELECT id FROM "${schema}".session`)).toEqual(['mine'])
  })

  it('keeps nothing of what was deleted, though others append meanwhile', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    await using one = postgresStore(url, scratch)
    await using two = postgresStore(url, scratch)
    const work = Array.from({ length: 60 }, (_, index) => {
      if (index % 6 === 0) return one.sessions.delete(bob, { descendants: true })
      return (index % 2 === 0 ? one : two).sessions.append(bob, [input(`${index}`), input(`${index}+`)])
    })
    await Promise.all(work)
    const { schema } = scratch
    const orphans = `SELECT seq FROM "${schema}".orra_entry WHERE session NOT IN (SELECT id FROM "${schema}".orra_session)`
    expect(await admin.column(orphans)).toEqual([])
    const { length = 0 } = (await one.sessions.head(bob)) ?? {}
    expect((await one.sessions.read(bob)).map(({ seq }) => seq)).toEqual(Array.from({ length }, (_, i) => i + 1))
    await one.sessions.delete(bob)
    expect(await admin.column(`SELECT seq FROM "${schema}".orra_entry`)).toEqual([])
  })

  it('takes in words longer than an index can hold, and finds them', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    const long = Array.from({ length: 3000 }, (_, index) => String.fromCharCode(97 + ((index * index) % 26))).join('')
    await store.records.put(key, { text: `short ${long}` })
    expect(await store.records.search(long)).toHaveLength(1)
    expect(await store.records.search(`${long}x`)).toEqual([])
  })

  it('does not find what a long namespace is above by the beginning that both share', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    const long = Namespace.of('前'.repeat(501))
    const places = [
      long,
      long.child('below'),
      Namespace.of(`${'前'.repeat(501)}x`),
      Namespace.of('前'.repeat(500), 'x'),
    ]
    for (const namespace of places) await store.sessions.append(namespace, [input('a')])
    const keys = async (within: Namespace) => {
      return (await store.sessions.list({ within })).items.map(({ namespace }) => namespace).toSorted()
    }
    expect(await keys(long)).toEqual([long.key, long.child('below').key].toSorted())
    expect(await keys(Namespace.of('前'.repeat(500)))).toEqual([places[3]?.key])
    expect(await store.sessions.delete(long, { descendants: true })).toBe(2)
    expect((await store.sessions.list()).items).toHaveLength(2)
  })

  it('keeps time when no clock is given: a lease runs out by the server’s', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    await using store = postgresStore(url, scratch)
    const lease = await store.sessions.claim(bob, { owner: 'one', ttlMs: 60_000 })
    await store.sessions.append(bob, [input('a')])
    expect(await store.sessions.claim(bob, { owner: 'two', ttlMs: 60_000 })).toBeUndefined()
    expect((await store.sessions.list({ pending: true })).items).toEqual([])
    const left = `SELECT lease_ends_at - extract(epoch FROM clock_timestamp()) * 1000 FROM "${scratch.schema}".orra_session`
    expect(Number((await admin.column(left))[0])).toBeGreaterThan(30_000)
    // As if a minute had passed.
    await admin.column(`UPDATE "${scratch.schema}".orra_session SET lease_ends_at = lease_ends_at - 60000`)
    expect((await store.sessions.list({ pending: true })).items).toHaveLength(1)
    expect(await store.sessions.claim(bob, { owner: 'two', ttlMs: 60_000 })).toBeDefined()
    expect(await lease?.renew()).toBe(false)
  })

  it('counts no further than JavaScript can', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    await using store = postgresStore(url, scratch)
    const { limit: _, ...unlimited } = claim
    for (const amount of [Number.MAX_SAFE_INTEGER, 5]) {
      const reserved = await store.counters.reserve([{ ...unlimited, amount: 0 }], { ttlMs: 60_000 })
      expect(reserved.granted && (await store.counters.settle(reserved.id, [amount]))).toBe(true)
      expect((await store.counters.list()).items).toMatchObject([{ used: Number.MAX_SAFE_INTEGER }])
    }
    // As when its window had ended by the clock of who reserved first, and it was removed.
    const two = Array.from({ length: 2 }, () => ({ ...unlimited, amount: 0 }))
    const reserved = await store.counters.reserve(two, { ttlMs: 60_000 })
    await admin.column(`DELETE FROM "${scratch.schema}".orra_counter`)
    if (reserved.granted) await store.counters.settle(reserved.id, [Number.MAX_SAFE_INTEGER, 5])
    expect((await store.counters.list()).items).toMatchObject([{ used: Number.MAX_SAFE_INTEGER }])
  })
})
