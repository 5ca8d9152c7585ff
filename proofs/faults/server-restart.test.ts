import { createRuntime, isOrraError, Namespace, type Store } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'
import { redisStore } from '@orra/store-redis'
import { expect, it } from 'vitest'
import { proxyTo } from '../../packages/store-postgres/test/proxy.ts'
import { describePostgres, scratchSchema } from '../../test/services/postgres.ts'
import { describeRedisServer } from '../../test/services/redis.ts'
import { readLog } from '../storm-log.ts'
import { answeringModel, answeringTools, answerTo, effectOf } from '../storm-model.ts'

const bob = Namespace.of('bob')
const first = 'the first message'
const second = 'the second message'

interface Server {
  stop(): Promise<unknown>
  start(): Promise<unknown>
}

const WHEN = ['is away', 'is back'] as const

/** The server goes away in the middle of a tool, which ends while it is away or when it is back. */
async function throughARestart(store: Store, server: Server, toolEnds: (typeof WHEN)[number]): Promise<void> {
  const begun = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const effects: string[] = []
  const tools = answeringTools(async ({ callId }) => {
    effects.push(callId)
    begun.resolve()
    await ending.promise
  })
  await using orra = createRuntime({ store, provider: answeringModel(), tools, leaseTtlMs: 1000 })

  const answer = orra.run(bob, first, { key: first }).catch((error: unknown) => error)
  await begun.promise
  await orra.submit(bob, second, { key: second })
  await server.stop()
  if (toolEnds === 'is away') {
    ending.resolve()
    expect(isOrraError(await answer, 'store.unusable')).toBe(true)
  }
  await server.start()
  ending.resolve()
  await answer

  for (const message of [second, first]) {
    expect((await orra.run(bob, message, { key: message })).text).toBe(answerTo(message))
  }
  await orra.recover({ untilIdle: true })
  const { problems, accepted } = readLog('bob', await store.sessions.read(bob))
  expect(problems).toEqual([])
  expect(accepted).toEqual([first, second])
  expect(effects).toEqual([effectOf(first), effectOf(second)])
}

await describeRedisServer('Redis, killed and started again in the middle of a run', (start) => {
  it.each(WHEN)('loses and doubles nothing, when the tool ends while it %s', async (toolEnds) => {
    await using server = await start('--appendonly', 'yes', '--appendfsync', 'always')
    await using store = redisStore(server.url, { timeoutMs: 500 })
    await throughARestart(store, { stop: () => server.stop('SIGKILL'), start: () => server.start() }, toolEnds)
  })
})

await describePostgres('PostgreSQL, out of reach in the middle of a run', (url) => {
  it.each(WHEN)('loses and doubles nothing, when the tool ends while it %s', async (toolEnds) => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    await using store = postgresStore(proxy.url, { schema: scratch.schema })
    await throughARestart(store, proxy, toolEnds)
  })
})
