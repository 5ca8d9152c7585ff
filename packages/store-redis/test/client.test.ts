import { isOrraError } from '@orra/core'
import { redisStore } from '@orra/store-redis'
import { createClient, RESP_TYPES } from 'redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { bob, input } from './entries.ts'

await describeRedis('an application’s own client', (url) => {
  it('is used as it is, and stays open', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    const client = createClient({
      url,
      keyPrefix: `${prefix}-`,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    })
    await client.connect()
    const store = redisStore(client, { prefix: 'mine' })
    const { promise: heard, resolve } = Promise.withResolvers<unknown>()
    await store.notices.subscribe(bob, resolve)
    store.notices.publish(bob, { hello: 1 })
    expect(await heard).toEqual({ hello: 1 })
    await store.sessions.append(bob, [input('one')])
    expect((await store.sessions.head(bob))?.inbox).toEqual(['one'])
    await store[Symbol.asyncDispose]()

    await expect(store.sessions.head(bob)).rejects.toThrow('it was closed; open another')
    expect(client.isOpen).toBe(true)
    expect(client.listenerCount('error')).toBe(0)
    expect(await client.exists('mine:session:{bob}')).toBe(1)
    client.destroy()
  })

  it('may speak the older protocol', async () => {
    await using scratch = scratchPrefix(url)
    const client = createClient({ url, RESP: 2 })
    await client.connect()
    await using store = redisStore(client, { prefix: scratch.prefix })
    const { promise: heard, resolve } = Promise.withResolvers<unknown>()
    await store.notices.subscribe(bob, resolve)
    store.notices.publish(bob, { hello: 1 })
    expect(await heard).toEqual({ hello: 1 })
    expect((await store.sessions.append(bob, [input('one')])).seqs).toEqual([1])
    client.destroy()
  })

  it('that is not connected is refused in words', async () => {
    const client = createClient({ url })
    await using store = redisStore(client)
    const refused = await store.sessions.head(bob).catch((error: unknown) => error)
    expect(isOrraError(refused, 'store.unusable') && refused.message).toContain('connect it before it is used')
  })
})
