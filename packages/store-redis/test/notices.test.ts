import { redisStore } from '@orra/store-redis'
import { createClient } from 'redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { bob } from './entries.ts'
import { hookedClient } from './hooked-client.ts'

await describeRedis('notices', (url) => {
  /** Hears numbers until the last one, which `hearing` itself tells. */
  async function hearing(prefix: string) {
    const store = redisStore(url, { prefix })
    const heard: unknown[] = []
    const { promise: isOver, resolve } = Promise.withResolvers<void>()
    await store.notices.subscribe(bob, ({ number }) => {
      if (number === 'last') resolve()
      else heard.push(number)
    })
    return {
      all: async () => {
        store.notices.publish(bob, { number: 'last' })
        await isOver
        return heard
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  }

  it('that were told right before the store was closed are heard', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    await using listener = await hearing(prefix)
    const store = redisStore(url, { prefix })
    const numbers = Array.from({ length: 100 }, (_, number) => number)
    for (const number of numbers) store.notices.publish(bob, { number })
    await store[Symbol.asyncDispose]()
    expect(await listener.all()).toEqual(numbers)
  })

  it('that wait for a server which does not answer are not kept without end: the newest are', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    await using listener = await hearing(prefix)
    const inner = createClient({ url })
    await inner.connect()
    const first = Promise.withResolvers<void>()
    const answers = Promise.withResolvers<void>()
    const { client } = hookedClient(inner)
    const slow = {
      ...client,
      withCommandOptions(options: Parameters<typeof client.withCommandOptions>[0]) {
        const plain = client.withCommandOptions(options)
        const sPublish: typeof plain.sPublish = async (channel, message) => {
          first.resolve()
          await answers.promise
          return await plain.sPublish(channel, message)
        }
        return { ...plain, sPublish }
      },
    }
    const store = redisStore(slow, { prefix })
    store.notices.publish(bob, { number: 0 })
    await first.promise
    for (let number = 1; number <= 6000; number += 1) store.notices.publish(bob, { number })
    answers.resolve()
    await store[Symbol.asyncDispose]()
    inner.destroy()
    expect(await listener.all()).toEqual([0, ...Array.from({ length: 5000 }, (_, place) => 1001 + place)])
  })
})
