import { isOrraError, type JsonObject, Namespace, type Notices } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'
import { administrator, named } from './admin.ts'
import { proxyTo } from './proxy.ts'

const bob = Namespace.of('bob')
const alice = Namespace.of('alice')

async function listening({ subscribe }: Notices, namespace: Namespace) {
  const heard: JsonObject[] = []
  let wake = () => {}
  const subscription = await subscribe(namespace, (notice) => {
    heard.push(notice)
    wake()
  })
  const until = async (count: number) => {
    while (heard.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return heard
  }
  return { until, subscription }
}

await describePostgres('a listener', (url) => {
  it('hears again after its connection was ended', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using admin = await administrator(url)
    await using store = postgresStore(url, { schema, listen: named(url, schema) })
    const { until } = await listening(store.notices, bob)
    await listening(store.notices, alice)
    const listens = `application_name = $1 AND state = 'idle' AND query LIKE 'LISTEN%'`
    for (const round of [1, 2, 3]) {
      const ended = await admin.column(`SELECT pid FROM pg_stat_activity WHERE ${listens}`, [schema])
      await admin.column(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${listens}`, [schema])
      await admin.until(`SELECT pid FROM pg_stat_activity WHERE ${listens} AND pid <> ALL($2)`, [schema, ended])
      store.notices.publish(bob, { round })
      await until(round)
    }
    expect(await until(3)).toEqual([{ round: 1 }, { round: 2 }, { round: 3 }])
  })

  it('is told when it cannot listen, and others come back by themselves', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    await using store = postgresStore(url, { ...scratch, listen: proxy.url })
    await using other = postgresStore(url, scratch)
    const { until } = await listening(store.notices, bob)
    await proxy.stop()
    const unusable = (error: unknown) => isOrraError(error, 'store.unusable') && error.retryable
    for (const namespace of [alice, bob]) {
      await expect(store.notices.subscribe(namespace, () => {})).rejects.toSatisfy(unusable)
    }
    await proxy.start()
    // By now or a little later it listens again; till then notices are lost.
    const tell = setInterval(() => other.notices.publish(bob, { back: true }), 20)
    await until(1)
    clearInterval(tell)
    expect((await until(1))[0]).toEqual({ back: true })
  })

  it('hears all of a flood that others publish at once, in the order of each', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    await using other = postgresStore(url, scratch)
    const { until } = await listening(store.notices, bob)
    for (let n = 0; n < 2000; n += 1) {
      other.notices.publish(bob, { from: 'other', n, same: 1 })
      store.notices.publish(bob, { from: 'store', n, same: 1 })
    }
    const heard = await until(4000)
    for (const from of ['other', 'store']) {
      const numbers = heard.flatMap((notice) => (notice['from'] === from ? [notice['n']] : []))
      expect(numbers).toEqual(Array.from({ length: 2000 }, (_, n) => n))
    }
  })

  it('hears two notices that are the same, and none that is too long', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    const { until } = await listening(store.notices, bob)
    store.notices.publish(bob, { text: 'x'.repeat(8000) })
    store.notices.publish(bob, { same: true })
    store.notices.publish(bob, { same: true })
    expect(await until(2)).toEqual([{ same: true }, { same: true }])
  })

  it('that comes and goes at once ends up as it was last asked to be', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    const coming = Array.from({ length: 20 }, async () => {
      const { subscription } = await listening(store.notices, bob)
      await subscription[Symbol.asyncDispose]()
    })
    const { until } = await listening(store.notices, bob)
    await Promise.all(coming)
    store.notices.publish(bob, { still: 'here' })
    expect(await until(1)).toEqual([{ still: 'here' }])
  })

  it('of a store that does not listen hears its own, and others hear it', async () => {
    await using scratch = scratchSchema(url)
    await using deaf = postgresStore(url, { ...scratch, listen: false })
    await using other = postgresStore(url, scratch)
    const listeners = [await listening(deaf.notices, bob), await listening(other.notices, bob)]
    deaf.notices.publish(bob, { from: 'deaf' })
    for (const { until } of listeners) expect(await until(1)).toEqual([{ from: 'deaf' }])
  })

  it('hears what was published just before the publisher was closed', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    const { until } = await listening(store.notices, bob)
    const leaving = postgresStore(url, scratch)
    leaving.notices.publish(bob, { last: 'word' })
    await leaving[Symbol.asyncDispose]()
    expect(await until(1)).toEqual([{ last: 'word' }])
  })
})
