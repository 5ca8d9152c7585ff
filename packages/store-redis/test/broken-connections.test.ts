import { isOrraError, type NotifyingStore } from '@orra/core'
import { redisStore } from '@orra/store-redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { bob, input } from './entries.ts'
import { tcpProxy } from './tcp-proxy.ts'

const passes = (error: unknown) => isOrraError(error, 'store.unusable') && error.retryable

/** Publishes until a notice is heard, as a subscription that comes back hears only what is told afterwards. */
async function untilHeard(store: NotifyingStore, heard: Promise<unknown>): Promise<void> {
  let isHeard = false
  void heard.then(() => {
    isHeard = true
  })
  while (!isHeard) {
    store.notices.publish(bob, { again: true })
    await store.sessions.head(bob).catch(() => {})
  }
}

await describeRedis('a connection that breaks', (url) => {
  it('in the middle of an append leaves open whether it was done, and the key makes trying again safe', async () => {
    await using scratch = scratchPrefix(url)
    await using proxy = await tcpProxy(url)
    await using store = redisStore(proxy.url, { prefix: scratch.prefix })
    await store.sessions.append(bob, [input('one')])
    proxy.cutAfter('"key":"two"')
    await expect(store.sessions.append(bob, [input('two')])).rejects.toSatisfy(passes)

    expect((await store.sessions.append(bob, [input('two')])).seqs).toEqual([2])
    expect((await store.sessions.append(bob, [input('three')])).seqs).toEqual([3])
    expect((await store.sessions.head(bob))?.inbox).toEqual(['one', 'two', 'three'])
    expect((await store.sessions.list({ pending: true })).items).toHaveLength(1)
  })

  it('before an answer came fails each call that waits for one, and the next call connects again', async () => {
    await using scratch = scratchPrefix(url)
    await using proxy = await tcpProxy(url)
    await using store = redisStore(proxy.url, { prefix: scratch.prefix })
    await store.sessions.append(bob, [input('one')])
    const waiting = [store.sessions.head(bob), store.sessions.read(bob)]
    proxy.block()
    setImmediate(() => setImmediate(() => proxy.cut()))
    for (const result of await Promise.allSettled(waiting)) {
      expect(result.status === 'rejected' && passes(result.reason)).toBe(true)
    }
    proxy.unblock()
    expect(await store.sessions.head(bob)).toMatchObject({ length: 1 })
  })

  it('without a word fails calls in time, and a new one is made for the next', async () => {
    await using scratch = scratchPrefix(url)
    await using proxy = await tcpProxy(url)
    await using store = redisStore(proxy.url, { prefix: scratch.prefix, timeoutMs: 1000 })
    await store.sessions.append(bob, [input('one')])
    proxy.block()
    const began = performance.now()
    await expect(store.sessions.append(bob, [input('two')])).rejects.toSatisfy(passes)
    expect(performance.now() - began).toBeLessThan(5000)
    proxy.unblock()
    expect((await store.sessions.append(bob, [input('two')])).seqs).toEqual([2])
  })

  it('takes subscriptions with it only until it is back', async () => {
    await using scratch = scratchPrefix(url)
    await using proxy = await tcpProxy(url)
    await using store = redisStore(proxy.url, { prefix: scratch.prefix })
    const { promise: heard, resolve } = Promise.withResolvers<unknown>()
    await using _subscription = await store.notices.subscribe(bob, resolve)
    proxy.cut()
    await untilHeard(store, heard)
    expect(await heard).toEqual({ again: true })
  })

  it('is closed with the store, and no other is left', async () => {
    await using scratch = scratchPrefix(url)
    await using proxy = await tcpProxy(url)
    const store = redisStore(proxy.url, { prefix: scratch.prefix })
    await store.notices.subscribe(bob, () => {})
    const last = store.sessions.append(bob, [input('one')])
    await last
    expect(proxy.connections()).toBe(2)
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await expect(store.sessions.head(bob)).rejects.toThrow('it was closed; open another')
    await expect(store.notices.subscribe(bob, () => {})).rejects.toThrow('it was closed; open another')
    await expect.poll(() => proxy.connections()).toBe(0)
  })
})
