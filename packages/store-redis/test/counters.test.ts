import { redisStore } from '@orra/store-redis'
import { createClient } from 'redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { bob } from './entries.ts'

const START = 1_700_000_000_000
const claim = { namespace: bob, counter: 'usd', window: 'day', amount: 5, endsAt: START + 60_000 }
const DAYS_MS = 3 * 24 * 60 * 60 * 1000
const KINDS = [
  ...['counters', 'counter-order', 'counter-ends', 'counter-marks'],
  ...['reserved', 'reservations', 'reservations-live', 'reservations-late'],
]

await describeRedis('counters', (url) => {
  it.each(KINDS)('go on when their key "%s" is lost', async (kind) => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    let time = START
    await using store = redisStore(url, { prefix, now: () => time })
    const { counters } = store
    const client = createClient({ url })
    await client.connect()
    const reservations = await Promise.all([1000, 60_000].map((ttlMs) => counters.reserve([claim], { ttlMs })))
    await client.del(`${prefix}:${kind}:{bob}`)
    client.destroy()

    time += 2000
    expect((await counters.reserve([claim], { ttlMs: 1000 })).granted).toBe(true)
    for (const reserved of reservations) if (reserved.granted) await counters.settle(reserved.id, [1])
    await counters.list()
    await counters.erase(bob)
    time += DAYS_MS
    expect((await counters.list()).items).toEqual([])
  })

  it('count no higher than a number can be told exactly', async () => {
    await using scratch = scratchPrefix(url)
    await using store = redisStore(url, { prefix: scratch.prefix })
    const { counters } = store
    const open = { namespace: bob, counter: 'usd', window: 'day', amount: 1 }
    for (const amount of [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]) {
      const reserved = await counters.reserve([{ ...open, amount: 0 }], { ttlMs: 1000 })
      if (reserved.granted) await counters.settle(reserved.id, [amount])
      expect((await counters.list()).items).toMatchObject([{ used: amount }])
    }
    expect(await counters.reserve([open], { ttlMs: 1000 })).toMatchObject({ taken: Number.MAX_SAFE_INTEGER })
  })
})
