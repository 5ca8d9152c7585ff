import { describeStore } from '@orra/conformance'
import { Namespace } from '@orra/core'
import { type RedisConnection, redisStore } from '@orra/store-redis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeRedisServer, type RedisServer, scratchPrefix } from '../../../test/services/redis.ts'
import { input } from './entries.ts'

const START = 1_700_000_000_000

/** One node with all slots refuses a script whose keys are of two, as many nodes would. */
await describeRedisServer('a cluster', (start) => {
  let server: RedisServer
  const clients = new Set<RedisConnection>()

  beforeAll(async () => {
    server = await start('--cluster-enabled', 'yes')
    await server.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    while (!`${await server.ask('CLUSTER', 'INFO')}`.includes('cluster_state:ok'));
  })

  afterAll(async () => {
    for (const client of clients) client.destroy()
    await server[Symbol.asyncDispose]()
  })

  async function connected(): Promise<RedisConnection> {
    const client = createCluster({ rootNodes: [{ url: server.url }] })
    await client.connect()
    clients.add(client)
    return client
  }

  describeStore('redis', async () => {
    const { prefix, [Symbol.asyncDispose]: dispose } = scratchPrefix(server.url)
    const client = await connected()
    let time = START
    const open = () => redisStore(client, { prefix, now: () => time })
    return {
      ...{ store: open(), dispose },
      reopen: async () => open(),
      advance: (ms) => {
        time += ms
      },
      processes: { none: 'several processes are tried on a server; a cluster does not differ in them' },
    }
  })

  it('keeps what belongs together in one slot, and namespaces apart, whatever braces they hold', async () => {
    const { prefix } = scratchPrefix(server.url)
    await using store = redisStore(await connected(), { prefix })
    const names = ['{', '}', '{}', '{a}b', '}{', 'a}', '%7B', '{a', 'a'].map((segment) =>
      Namespace.of('t', segment, 'x{y}'),
    )
    for (const namespace of [...names, Namespace.of('}a'), Namespace.of('{}')]) {
      await store.sessions.append(namespace, [input(namespace.key)])
      await store.records.put({ collection: 'note', namespace, id: '{b}' }, 'words')
      const claims = namespace
        .ancestors()
        .map((claimed) => ({ namespace: claimed, counter: '{c}', window: 'w', amount: 1 }))
      expect((await store.counters.reserve(claims, { ttlMs: 1000 })).granted).toBe(true)
    }
    for (const namespace of names) {
      expect((await store.sessions.head(namespace))?.inbox).toEqual([namespace.key])
      expect((await store.counters.list({ namespace })).items).toMatchObject([{ reserved: 1 }])
    }
    expect(await store.records.search('words', { limit: 100 })).toHaveLength(names.length + 2)
  })
})
