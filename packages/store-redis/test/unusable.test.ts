import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isOrraError } from '@orra/core'
import { type RedisStoreOptions, redisStore } from '@orra/store-redis'
import { createClient } from 'redis'
import { describe, expect, it } from 'vitest'
import { describeRedis, describeRedisServer, scratchPrefix } from '../../../test/services/redis.ts'
import { bob, input } from './entries.ts'

/** What the first call of a store is told; never a password. */
async function told(url: string, options?: RedisStoreOptions): Promise<string> {
  await using store = redisStore(url, options)
  const error: unknown = await store.sessions.append(bob, [input('secret-text')]).catch((error: unknown) => error)
  if (!isOrraError(error, 'store.unusable', 'store.newer-schema')) throw error
  for (const text of [error.message, JSON.stringify(error), `${error.cause}`]) {
    expect(text).not.toContain('secret')
  }
  return error.message
}

async function connected(url: string) {
  const client = createClient({ url })
  await client.connect()
  return { client, [Symbol.asyncDispose]: async () => client.destroy() }
}

describe('what cannot be used', () => {
  it('as an argument or option is refused at once', () => {
    for (const url of ['', 'localhost:6379', 'http://user:secret@localhost', 'redis://a b', undefined, {}]) {
      expect(() => redisStore(url as string)).toThrow(/"url" cannot be used.*redis:\/\//)
    }
    const url = 'redis://localhost'
    for (const prefix of ['', '{a}', 'a'.repeat(65)]) expect(() => redisStore(url, { prefix })).toThrow('"prefix"')
    for (const timeoutMs of [0, -1, 1.5]) expect(() => redisStore(url, { timeoutMs })).toThrow('"timeoutMs"')
    expect(() => redisStore(url, { prefx: 'a' } as RedisStoreOptions)).toThrow('it has prefix, timeoutMs, now')
  })

  it('because nothing listens there is told in a sentence, without the password', async () => {
    expect(await told('redis://user:secret@127.0.0.1:1')).toMatch(/at 127\.0\.0\.1:1 .*nothing listens there/)
  })

  it('because something else listens there, or TLS is on at one end only, says what to look at', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await told(`redis://127.0.0.1:${port}`)).toContain('see whether this is a Redis server')
    expect(await told(`rediss://127.0.0.1:${port}`)).toContain('use redis://, or switch TLS on')
    server.close()
  })
})

await describeRedis('keys that cannot be used', (url) => {
  it('because a newer version wrote them say what to do', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    await using raw = await connected(url)
    await raw.client.set(`${prefix}:schema`, '99')
    expect(await told(url, { prefix })).toContain('update the package')
    await raw.client.set(`${prefix}:schema`, '1')
    await using store = redisStore(url, { prefix })
    expect(await store.sessions.head(bob)).toBeUndefined()
  })

  it('because something else wrote them say so', async () => {
    await using scratch = scratchPrefix(url)
    const { prefix } = scratch
    await using raw = await connected(url)
    await raw.client.set(`${prefix}:session:{bob}`, 'mine')
    expect(await told(url, { prefix })).toContain('choose another prefix')
    await raw.client.set(`${prefix}:schema`, 'mine')
    expect(await told(url, { prefix })).toContain('choose another prefix')
  })
})

await describeRedisServer('a server that cannot be used', (start) => {
  it('because the password is wrong or missing says so', async () => {
    await using server = await start('--requirepass', 'right')
    const { port } = server
    expect(await told(`redis://:secret@127.0.0.1:${port}`)).toContain('the user name or password is wrong')
    expect(await told(`redis://127.0.0.1:${port}`)).toContain('it asks for a password')
    await using store = redisStore(`redis://:right@127.0.0.1:${port}`)
    expect(await store.sessions.head(bob)).toBeUndefined()
  })

  it('because the user may too little says so', async () => {
    await using server = await start()
    await server.ask('ACL', 'SETUSER', 'guest', 'on', '>secret', '+@all', '~other:*')
    expect(await told(`redis://guest:secret@127.0.0.1:${server.port}`)).toContain('extend its rights')
  })

  it('because there is no such database says so', async () => {
    await using server = await start()
    expect(await told(`${server.url}/99`)).toContain('no database of this number')
  })

  it('because its memory is full says so, and takes writes again when there is room', async () => {
    await using server = await start()
    await using store = redisStore(server.url)
    await store.sessions.append(bob, [input('one')])
    await server.ask('CONFIG', 'SET', 'maxmemory', '1')
    expect(await told(server.url)).toContain('its memory is full')
    await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    expect((await store.sessions.append(bob, [input('two')])).seqs).toEqual([2])
  })

  it('because it is a replica says so, and is asked anew afterwards', async () => {
    await using server = await start()
    await using store = redisStore(server.url)
    await store.sessions.append(bob, [input('one')])
    await server.ask('REPLICAOF', '127.0.0.1', '1')
    expect(await told(server.url)).toContain('connect to the primary')
    await server.ask('REPLICAOF', 'NO', 'ONE')
    expect((await store.sessions.append(bob, [input('two')])).seqs).toEqual([2])
  })

  it('because it is a node of a cluster says what to give instead', async () => {
    await using server = await start('--cluster-enabled', 'yes')
    await server.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '1')
    expect(await told(server.url)).toContain('its cluster is down')
  })
})
