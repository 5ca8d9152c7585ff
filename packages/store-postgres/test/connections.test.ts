import { type Entry, isOrraError, Namespace } from '@orra/core'
import { type PostgresStore, postgresStore } from '@orra/store-postgres'
import { Pool } from 'pg'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'
import { administrator, named } from './admin.ts'
import { proxyTo } from './proxy.ts'

const bob = Namespace.of('bob')
const unknown = (error: unknown) => isOrraError(error, 'store.unusable') && error.retryable

function input(key: string): Entry {
  return { type: 'input', key, message: { role: 'user', content: [{ type: 'text', text: key }] } }
}

await describePostgres('a connection', (url) => {
  it('that breaks before an append is done takes back all of it', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using admin = await administrator(url)
    await using store = postgresStore(named(url, schema), { schema })
    await store.sessions.append(bob, [input('a')])
    // The append waits for this row, and is ended while it does.
    await admin.column('BEGIN')
    await admin.column(`SELECT FROM "${schema}".orra_session FOR UPDATE`)
    const append = store.sessions.append(bob, [input('b'), input('c')])
    const failed = expect(append).rejects.toSatisfy(unknown)
    await using other = await administrator(url)
    await other.until(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
      [schema],
    )
    await failed
    await admin.column('ROLLBACK')
    expect(await store.sessions.head(bob)).toMatchObject({ length: 1 })
    expect((await store.sessions.append(bob, [input('b'), input('c')])).seqs).toEqual([2, 3])
  })

  it('that breaks after an append was done leaves it unknown, and its key makes it safe to send again', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    await using store = postgresStore(proxy.url, { ...scratch, listen: false })
    await store.sessions.append(bob, [input('a')])
    proxy.cutAfter('INSERT INTO')
    await expect(store.sessions.append(bob, [input('b')])).rejects.toSatisfy(unknown)
    expect((await store.sessions.append(bob, [input('b')])).seqs).toEqual([2])
    expect(await store.sessions.read(bob)).toHaveLength(2)
  })

  it('that breaks before a reservation is done takes back all of it', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    await using store = postgresStore(proxy.url, { ...scratch, listen: false })
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1, limit: 1 }
    await store.counters.list()
    proxy.cutAfter('INSERT INTO')
    await expect(store.counters.reserve([claim], { ttlMs: 60_000 })).rejects.toSatisfy(unknown)
    expect((await store.counters.list()).items).toEqual([])
    expect(await store.counters.reserve([claim], { ttlMs: 60_000 })).toMatchObject({ granted: true })
  })

  it('can be made again as soon as the server is back', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    await using store = postgresStore(proxy.url, scratch)
    await store.sessions.append(bob, [input('a')])
    await proxy.stop()
    await expect(store.sessions.head(bob)).rejects.toSatisfy(unknown)
    await expect(store.sessions.append(bob, [input('b')])).rejects.toSatisfy(unknown)
    await proxy.start()
    expect((await store.sessions.append(bob, [input('b')])).seqs).toEqual([2])
  })

  it('that breaks while it is idle disturbs nobody', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using admin = await administrator(url)
    const pool = new Pool({ connectionString: named(url, schema) })
    const store = postgresStore(pool, { schema })
    await store.sessions.append(bob, [input('a')])
    const removed = new Promise<void>((resolve) => pool.on('remove', () => resolve()))
    await admin.column('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [schema])
    await removed
    expect((await store.sessions.append(bob, [input('b')])).seqs).toEqual([2])

    await store[Symbol.asyncDispose]()
    expect(pool.listenerCount('error')).toBe(0)
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })

  it('may be another one for every transaction, as behind a pooler', async () => {
    await using scratch = scratchSchema(url)
    // Nothing that a use leaves behind on its connection reaches the next one.
    const pool = new Pool({ connectionString: url, max: 1, maxUses: 1 })
    const store = postgresStore(pool, { ...scratch, listen: url, prepare: false })
    const heard = Promise.withResolvers<unknown>()
    await store.notices.subscribe(bob, heard.resolve)
    const { epoch = 0 } = (await store.sessions.claim(bob, { owner: 'one', ttlMs: 1000 })) ?? {}
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.sessions.append(bob, [input(`${index}`)])))
    await store.sessions.append(bob, [{ type: 'message', message: { role: 'user', content: [] } }], { epoch })
    expect(await store.sessions.read(bob)).toHaveLength(11)
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1, limit: 5 }
    const reserving = Array.from({ length: 10 }, () => store.counters.reserve([claim], { ttlMs: 1000 }))
    expect((await Promise.all(reserving)).filter(({ granted }) => granted)).toHaveLength(5)
    store.notices.publish(bob, { told: true })
    expect(await heard.promise).toEqual({ told: true })
    expect(await store.sessions.delete(bob)).toBe(1)
    await store[Symbol.asyncDispose]()
    await pool.end()
  })

  it('of an application’s own pool may be set to other types', async () => {
    await using scratch = scratchSchema(url)
    const pool = new Pool({ connectionString: url, types: { getTypeParser: () => () => 'something else' } })
    const store = postgresStore(pool, scratch)
    await store.sessions.append(bob, [input('a')])
    expect(await store.sessions.head(bob)).toMatchObject({ length: 1, inbox: ['a'] })
    await store[Symbol.asyncDispose]()
    await pool.end()
  })

  it('may be set to a stricter isolation than the store asks for', async () => {
    await using scratch = scratchSchema(url)
    const strict = `${url}?options=-c%20default_transaction_isolation%3Dserializable`
    await using one = postgresStore(strict, scratch)
    await using two = postgresStore(strict, scratch)
    const appends = Array.from({ length: 30 }, (_, index) => {
      return (index % 2 === 0 ? one : two).sessions.append(bob, [input(`${index}`)])
    })
    const seqs = (await Promise.all(appends)).flatMap((result) => result.seqs)
    expect(new Set(seqs).size).toBe(30)
  })

  it('is asked once by an append that this store made the last one before, twice by another', async () => {
    await using scratch = scratchSchema(url)
    const asked: unknown[] = []
    const pool = new Pool({ connectionString: url })
    pool.on('connect', (client) => {
      const { query } = client
      client.query = ((...args: Parameters<typeof query>) => {
        asked.push(args[0])
        return query.apply(client, args)
      }) as typeof query
    })
    const queriesOf = async (work: () => Promise<unknown>) => {
      const before = asked.length
      await work()
      return asked.length - before
    }
    const store = postgresStore(pool, { ...scratch, listen: false })
    await using other = postgresStore(url, scratch)
    await other.sessions.head(bob)
    // The version of the tables, once.
    expect(await queriesOf(() => store.sessions.head(bob))).toBe(2)
    expect(await queriesOf(() => store.sessions.append(bob, [input('a')]))).toBe(2)
    expect(await queriesOf(() => store.sessions.append(bob, [input('b')]))).toBe(1)
    await other.sessions.append(bob, [input('c')])
    expect(await queriesOf(() => store.sessions.append(bob, [input('d')]))).toBe(3)
    await store.sessions.claim(bob, { owner: 'one', ttlMs: 1000 })
    expect(await queriesOf(() => store.sessions.append(bob, [input('e')]))).toBe(1)
    await store[Symbol.asyncDispose]()
    await pool.end()
  })

  it('prepares a statement once, whatever its values, and none when told not to', async () => {
    await using scratch = scratchSchema(url)
    const pool = new Pool({ connectionString: url, max: 1 })
    const texts = async () => (await pool.query('SELECT statement FROM pg_prepared_statements')).rows.length
    const use = async ({ sessions, records, counters }: PostgresStore, name: string) => {
      const namespace = Namespace.of(name)
      await sessions.append(namespace, [input('a'), input('b')])
      await sessions.append(namespace, [input('c')])
      await sessions.list({ within: namespace })
      await records.put({ collection: name, namespace, id: name }, name)
      await records.search(`${name} and more`, { within: namespace })
      const reserved = await counters.reserve([{ namespace, counter: name, window: 'all', amount: 1 }], { ttlMs: 1000 })
      if (reserved.granted) await counters.settle(reserved.id, [1])
    }
    await using plain = postgresStore(pool, { ...scratch, listen: false, prepare: false })
    await use(plain, 'plain')
    expect(await texts()).toBe(0)
    await using store = postgresStore(pool, { ...scratch, listen: false })
    await use(store, 'first')
    const count = await texts()
    expect(count).toBeGreaterThan(8)
    for (const name of ['second', 'third']) await use(store, name)
    expect(await texts()).toBe(count)
    await pool.query('DEALLOCATE ALL')
    await expect(store.sessions.list({ within: bob })).rejects.toThrow('prepare: false')
    await pool.end()
  })

  it('of a process that stands still in a transaction stops nobody else', async () => {
    await using scratch = scratchSchema(url)
    const pool = new Pool({ connectionString: url, max: 1 })
    const { promise: thawed, resolve: thaw } = Promise.withResolvers<void>()
    const { promise: frozen, resolve: freeze } = Promise.withResolvers<void>()
    pool.on('connect', (client) => {
      const { query } = client
      client.query = ((...args: Parameters<typeof query>) => {
        const { text = '' } = args[0] as { readonly text?: string }
        if (!text.includes('INSERT INTO') || !text.includes('_hold"')) return query.apply(client, args)
        freeze()
        return thawed.then(() => query.apply(client, args) as unknown)
      }) as typeof query
    })
    await using store = postgresStore(pool, { ...scratch, listen: false })
    await using other = postgresStore(url, scratch)
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1, limit: 1 }
    const failed = expect(store.counters.reserve([claim], { ttlMs: 60_000 })).rejects.toSatisfy(unknown)
    await frozen
    expect(await other.counters.reserve([claim], { ttlMs: 60_000 })).toMatchObject({ granted: true })
    thaw()
    await failed
    await pool.end()
  })

  it('that waits for another’s lock for too long says so', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    await using store = postgresStore(`${url}?options=-c%20lock_timeout%3D50`, scratch)
    await store.sessions.append(bob, [input('a')])
    await admin.column('BEGIN')
    await admin.column(`SELECT FROM "${scratch.schema}".orra_session FOR UPDATE`)
    const failed = store.sessions.append(bob, [input('b')])
    await expect(failed).rejects.toMatchObject({ retryable: true, message: expect.stringContaining('held a lock') })
    await admin.column('ROLLBACK')
  })

  it('to a server that says nothing more is dropped, and the store can be closed', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    const store = postgresStore(proxy.url, { ...scratch, timeoutMs: 300 })
    await store.sessions.append(bob, [input('a')])
    await store.notices.subscribe(bob, () => {})
    proxy.silenceAt('')
    const calls = [
      store.sessions.append(bob, [input('b')]),
      store.counters.list(),
      store.counters.reserve([{ namespace: bob, counter: 'usd', window: 'all', amount: 1 }], { ttlMs: 1000 }),
    ]
    for (let count = 0; count < 20_000; count += 1) store.notices.publish(bob, { count })
    const failures = (await Promise.allSettled(calls)).map((call) => call.status === 'rejected' && call.reason)
    for (const failure of failures) expect(failure).toMatchObject({ code: 'store.unusable', retryable: true })
    // One of them had a connection; the others found none.
    expect(failures.map(({ message }) => /no answer came|nothing was sent/.exec(message)?.[0]).sort()).toEqual([
      'no answer came',
      'nothing was sent',
      'nothing was sent',
    ])
    await store[Symbol.asyncDispose]()
  }, 5000)

  it('on which a transaction gets no answer in time is dropped at once', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    const pool = new Pool({ connectionString: url, max: 1 })
    const asked: unknown[] = []
    pool.on('connect', (client) => {
      const { query } = client
      client.query = ((...args: Parameters<typeof query>) => {
        asked.push((args[0] as { readonly text?: string }).text)
        return query.apply(client, args)
      }) as typeof query
    })
    await using store = postgresStore(pool, { ...scratch, listen: false, timeoutMs: 500 })
    await store.sessions.append(bob, [input('a')])
    await admin.column('BEGIN')
    await admin.column(`SELECT FROM "${scratch.schema}".orra_session FOR UPDATE`)
    await expect(store.sessions.delete(bob)).rejects.toThrow('no answer came')
    expect(asked.at(-1)).toContain('DELETE')
    expect(pool.totalCount).toBe(0)
    await admin.column('ROLLBACK')
    await pool.end()
  })

  it('that does not come free in time is not waited for, nor lost', async () => {
    await using scratch = scratchSchema(url)
    const pool = new Pool({ connectionString: url, max: 1 })
    await using store = postgresStore(pool, { ...scratch, listen: false, timeoutMs: 300 })
    await store.sessions.append(bob, [input('a')])
    const taken = await pool.connect()
    const failed = expect(store.sessions.append(bob, [input('b')])).rejects
    await failed.toMatchObject({ retryable: true, message: expect.stringContaining('nothing was sent') })
    taken.release()
    expect((await store.sessions.append(bob, [input('c')])).seqs).toEqual([2])
    await pool.end()
  })
})
