import { rename, rm } from 'node:fs/promises'
import { isOrraError, Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it, vi } from 'vitest'
import { scratch } from './scratch.ts'

const bob = Namespace.of('bob')
const entry = { type: 'metadata', set: { title: 'T' } } as const
const isGone = (error: unknown) => isOrraError(error, 'store.unusable') && error.message.includes('open it again')

describe('a file that, while it is open,', () => {
  it('is removed, takes nothing more', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path)
    await rm(place.path)
    await expect(store.sessions.append(bob, [entry])).rejects.toSatisfy(isGone)
    await expect(store.sessions.append(bob, [entry])).rejects.toSatisfy(isGone)
  })

  it('is removed after it was used, is noticed within a second', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path)
    const lease = await store.sessions.claim(bob, { owner: 'one', ttlMs: 60_000 })
    await rm(place.path)
    const later = performance.now() + 1000
    vi.spyOn(performance, 'now').mockImplementation(() => later)
    await expect(lease?.renew()).rejects.toSatisfy(isGone)
  })

  it('is replaced, gives no second lease', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path)
    for (const end of ['', '-wal', '-shm']) await rm(`${place.path}${end}`, { force: true })
    await using other = sqliteStore(place.path)
    expect(await other.sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
    await expect(store.sessions.claim(bob, { owner: 'one', ttlMs: 1000 })).rejects.toSatisfy(isGone)
  })

  it('is moved, must be opened where it is', async () => {
    await using place = await scratch()
    await using store = sqliteStore(place.path)
    await rename(place.path, `${place.path}.moved`)
    await expect(store.records.put({ collection: 'c', namespace: bob, id: 'i' }, 1)).rejects.toSatisfy(isGone)
  })
})

it('a store in memory has no file that could go', async () => {
  await using store = sqliteStore(':memory:')
  expect((await store.sessions.append(bob, [entry])).seqs).toEqual([1])
})
