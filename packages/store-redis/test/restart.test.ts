import { redisStore } from '@orra/store-redis'
import { createClient } from 'redis'
import { expect, it } from 'vitest'
import { describeRedis, describeRedisServer, scratchPrefix } from '../../../test/services/redis.ts'
import { bob, ended, input, message, started } from './entries.ts'

const note = { collection: 'note', namespace: bob, id: 'one' }
const claim = { namespace: bob, counter: 'usd', window: 'day', amount: 5, limit: 10 }

await describeRedisServer('a server that appends to a file', (start) => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'keeps everything over a %s, and the store finds it again',
    async (signal) => {
      await using server = await start('--appendonly', 'yes', '--appendfsync', 'always')
      await using store = redisStore(server.url)
      const { sessions, records, counters } = store
      await sessions.append(bob, [input('one'), input('two')])
      const lease = await sessions.claim(bob, { owner: 'me', ttlMs: 60_000 })
      const epoch = lease?.epoch ?? 0
      await sessions.append(bob, [started('one'), message('one')], { epoch })
      const stored = await records.put(note, 'some words')
      const reserved = await counters.reserve([claim], { ttlMs: 60_000 })
      const before = { head: await sessions.head(bob), entries: await sessions.read(bob) }

      await server.stop(signal)
      await expect(sessions.append(bob, [input('lost')])).rejects.toMatchObject({
        code: 'store.unusable',
        retryable: true,
      })
      await server.start()

      expect({ head: await sessions.head(bob), entries: await sessions.read(bob) }).toEqual(before)
      expect((await sessions.append(bob, [input('one')])).written).toBe(0)
      expect(await lease?.renew()).toBe(true)
      await sessions.append(bob, [ended('one')], { epoch })
      await lease?.release()
      expect((await sessions.list({ pending: true })).items).toHaveLength(1)
      expect((await sessions.claim(bob, { owner: 'me', ttlMs: 1000 }))?.epoch).toBeGreaterThan(epoch)
      expect(await records.search('words')).toEqual([stored])
      expect((await records.put(note, 'others')).version).toBeGreaterThan(stored.version)
      expect(reserved.granted && (await counters.settle(reserved.id, [3]))).toBe(true)
      expect((await counters.list()).items).toMatchObject([{ used: 3, reserved: 0 }])
    },
  )

  it('does not keep a store from closing when it is gone, and what waits for it fails', async () => {
    await using server = await start()
    const timeoutMs = 60_000
    const store = redisStore(server.url, { timeoutMs })
    await store.notices.subscribe(bob, () => {})
    await store.sessions.append(bob, [input('one')])
    await server.stop('SIGKILL')
    const waiting = store.sessions.append(bob, [input('two')])
    store.notices.publish(bob, { number: 1 })
    const refused = expect(waiting).rejects.toMatchObject({ code: 'store.unusable' })
    const began = performance.now()
    await store[Symbol.asyncDispose]()
    await refused
    expect(performance.now() - began).toBeLessThan(timeoutMs / 2)
  })
})

await describeRedis('a server', (url) => {
  it('may forget its scripts at any time', async () => {
    await using scratch = scratchPrefix(url)
    await using store = redisStore(url, { prefix: scratch.prefix })
    const client = createClient({ url })
    await client.connect()
    for (const key of ['one', 'two', 'three']) {
      await client.scriptFlush()
      await Promise.all([store.sessions.append(bob, [input(key)]), store.records.put(note, key)])
    }
    client.destroy()
    expect((await store.sessions.head(bob))?.inbox).toEqual(['one', 'two', 'three'])
  })

  it('may lose the last epoch and version, and gives higher ones than are in use', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    await using store = redisStore(url, { prefix })
    const client = createClient({ url })
    await client.connect()
    await client.mSet({ [`${prefix}:epoch`]: '1000000', [`${prefix}:version`]: '1000000' })
    const lease = await store.sessions.claim(bob, { owner: 'me', ttlMs: 60_000 })
    const { version } = await store.records.put(note, 'one')
    await lease?.release()
    await client.del([`${prefix}:epoch`, `${prefix}:version`])
    client.destroy()
    const next = await store.sessions.claim(bob, { owner: 'me', ttlMs: 60_000 })
    expect(next?.epoch).toBe((lease?.epoch ?? 0) + 1)
    expect((await store.records.put(note, 'two')).version).toBe(version + 1)
  })

  it('decides about leases and times by its own clock', async () => {
    await using scratch = scratchPrefix(url)
    await using store = redisStore(url, { prefix: scratch.prefix })
    const client = createClient({ url })
    await client.connect()
    const time = async () => {
      const [seconds, microseconds] = await client.time()
      return Math.floor(Number(seconds) * 1000 + Number(microseconds) / 1000)
    }
    const before = await time()
    const { head } = await store.sessions.append(bob, [input('one')])
    expect(head.updatedAt).toBeGreaterThanOrEqual(before)
    expect(head.updatedAt).toBeLessThanOrEqual(await time())
    expect((await store.sessions.read(bob))[0]?.at).toBe(head.updatedAt)
    const lease = await store.sessions.claim(bob, { owner: 'me', ttlMs: 50 })
    expect(lease).toBeDefined()
    await expect.poll(() => store.sessions.claim(bob, { owner: 'other', ttlMs: 50 })).toBeDefined()
    expect(await lease?.renew()).toBe(false)
    client.destroy()
  })

  it('may hold several stores, which know nothing of each other', async () => {
    await using first = scratchPrefix(url)
    await using second = scratchPrefix(url)
    await using one = redisStore(url, { prefix: first.prefix })
    await using other = redisStore(url, { prefix: second.prefix })
    const heard: unknown[] = []
    await using _listening = await other.notices.subscribe(bob, (notice) => heard.push(notice))
    await one.sessions.append(bob, [input('one')])
    await one.records.put(note, 'some words')
    await one.counters.reserve([claim], { ttlMs: 1000 })
    one.notices.publish(bob, { from: 'one' })
    other.notices.publish(bob, { from: 'other' })

    expect(await other.sessions.head(bob)).toBeUndefined()
    expect((await other.sessions.list()).items).toEqual([])
    expect((await other.sessions.list({ pending: true })).items).toEqual([])
    expect(await other.records.search('words')).toEqual([])
    expect((await other.counters.list()).items).toEqual([])
    expect(await other.sessions.delete(bob)).toBe(0)
    expect(await one.sessions.head(bob)).toBeDefined()
    await expect.poll(() => heard).toEqual([{ from: 'other' }])
  })
})
