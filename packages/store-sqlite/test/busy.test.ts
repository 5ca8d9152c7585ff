import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { isOrraError, Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it } from 'vitest'
import { scratch } from './scratch.ts'

const bob = Namespace.of('bob')
const secret = 'xylophone'

function entry(key: string) {
  return { type: 'input', key, message: { role: 'user', content: [{ type: 'text', text: secret }] } } as const
}

/** Stands for another process, which writes until it is told to end. */
function writer(path: string) {
  const db = new DatabaseSync(path)
  db.exec('BEGIN IMMEDIATE')
  return {
    end: () => db.exec('COMMIT'),
    [Symbol.dispose]: () => db.close(),
  }
}

describe('while another process writes', () => {
  it('this one goes on with other work, and then all is done in the order in which it was asked for', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path)
    const lease = await store.sessions.claim(bob, { owner: 'one', ttlMs: 1000 })
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1 }
    const reservation = await store.counters.reserve([claim], { ttlMs: 1000 })

    using other = writer(place.path)
    const keys = ['a', 'b', 'c']
    const appended = Promise.all(keys.map((key) => store.sessions.append(bob, [entry(key)])))
    const renewed = lease?.renew()
    const extended = reservation.granted && store.counters.extend(reservation.id, 1000)
    const released = lease?.release()
    await setImmediate()
    expect(await store.sessions.read(bob)).toEqual([])
    other.end()

    expect((await appended).map(({ seqs }) => seqs)).toEqual(keys.map((_, index) => [index + 1]))
    expect([await renewed, await extended]).toEqual([true, true])
    await released
    expect(await store.sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
  })

  it('a store that is closed ends what was asked for first', async () => {
    await using place = await scratch()
    const store = sqliteStore(place.path)
    using other = writer(place.path)
    const appended = store.sessions.append(bob, [entry('a')])
    const closed = store[Symbol.asyncDispose]()
    await setImmediate()
    other.end()
    expect((await appended).seqs).toEqual([1])
    await closed
    await expect(store.sessions.head(bob)).rejects.toThrow('it was closed')
  })

  it('a file in which nothing is to be converted can be opened', async () => {
    await using place = await scratch()
    await sqliteStore(place.path)[Symbol.asyncDispose]()
    using _other = writer(place.path)
    await using store = sqliteStore(place.path, { busyTimeoutMs: 0 })
    expect(await store.sessions.head(bob)).toBeUndefined()
  })

  it('for too long, what failed may be tried again', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path, { busyTimeoutMs: 20 })
    using other = writer(place.path)
    const isPassing = (error: unknown) => isOrraError(error, 'store.unusable') && error.retryable
    const appended = [store.sessions.append(bob, [entry('a')]), store.sessions.append(bob, [entry('b')])]
    for (const one of await Promise.allSettled(appended)) {
      expect(one.status === 'rejected' && one.reason).toSatisfy(isPassing)
    }
    other.end()
    expect((await store.sessions.append(bob, [entry('c')])).seqs).toEqual([1])
  })
})

it('waits for those who read before it says that nothing is left of what is erased', async () => {
  await using place = await scratch()
  await using store = sqliteStore(place.path)
  await store.sessions.append(bob, [entry('a')])
  using reader = new DatabaseSync(place.path)
  reader.exec('BEGIN; SELECT * FROM orra_session')
  const deleted = store.sessions.delete(bob)
  await setImmediate()
  reader.exec('COMMIT')
  expect(await deleted).toBe(1)
  for (const end of ['', '-wal']) expect((await readFile(`${place.path}${end}`)).includes(secret)).toBe(false)
})
