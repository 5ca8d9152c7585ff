import { existsSync } from 'node:fs'
import { copyFile, link, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOrraError, Namespace, type Store } from '@orra/core'
import { fileStore } from '@orra/store-file'
import { describe, expect, it } from 'vitest'
import { bob, input, scratch } from './scratch.ts'

/** Its file names do not tell it. */
const long = Namespace.of('user', '日'.repeat(30))

const keysOf = async (store: Store, pending: boolean) =>
  (await store.sessions.list({ pending })).items.map(({ namespace }) => namespace)

const hashedIn = async (folder: string) =>
  join(folder, (await readdir(folder)).find((name) => name.includes('~')) ?? 'none')

describe('a name that is only found in a file', () => {
  it.each(['', 'half', 'a::b'])('and was damaged (%j) hides its session from lists, and no other', async (damaged) => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    for (const one of [bob, long]) await store.sessions.append(one, [input('a')])
    expect(await keysOf(store, false)).toEqual(['bob', long.key])
    expect(await keysOf(store, true)).toEqual(['bob', long.key])

    await writeFile(await hashedIn(join(place.folder, 'pending')), damaged)
    await writeFile(join(await hashedIn(join(place.folder, 'sessions', 'user')), '@name'), damaged)
    expect(await keysOf(store, false)).toEqual(['bob'])
    expect(await keysOf(store, true)).toEqual(['bob'])
    expect(await store.sessions.head(long)).toMatchObject({ length: 1 })

    // The next one made below it mends the name.
    await store.sessions.append(long.child('x'), [input('a')])
    expect(await keysOf(store, false)).toEqual(['bob', long.key, long.child('x').key])
  })

  it('goes with the last that is deleted', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    const record = { collection: 'c', namespace: long, id: 'i' }
    const [outer, inner] = [long, long.child('日'.repeat(40))]
    for (const one of [outer, inner]) await store.sessions.append(one, [input('a')])
    await store.records.put(record, 1)
    await store.records.delete(record)
    await store.sessions.delete(outer)
    expect(await keysOf(store, false)).toEqual([inner.key])
    await store.sessions.delete(inner)
    for (const folder of ['sessions', 'records', 'pending', 'passing']) {
      expect(await readdir(join(place.folder, folder))).toEqual([])
    }
  })
})

describe('a namespace too deep for a path', () => {
  it('is refused in a sentence, and leaves the store as it was', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    await store.sessions.append(bob, [input('a')])
    const deep = Namespace.of('日'.repeat(24), ...Array<string>(39).fill('日'.repeat(24)))
    const told = (error: unknown) =>
      isOrraError(error, 'store.unusable') && error.message.includes('shorter namespaces')
    const record = { collection: 'c', namespace: deep, id: 'i' }
    await expect(store.sessions.append(deep, [input('a')])).rejects.toSatisfy(told)
    await expect(store.sessions.claim(deep, { owner: 'o', ttlMs: 1000 })).rejects.toSatisfy(told)
    await expect(store.records.put(record, 1)).rejects.toSatisfy(told)
    expect(await readdir(join(place.folder, 'sessions'))).toEqual(['bob'])
    expect(await readdir(join(place.folder, 'records'))).toEqual([])
    expect(await keysOf(store, true)).toEqual(['bob'])
  })
})

describe('a list', () => {
  it('of no items has none', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    await store.sessions.append(bob, [input('a')])
    await store.records.put({ collection: 'c', namespace: bob, id: 'i' }, 1)
    expect(await store.sessions.list({ limit: 0 })).toEqual({ items: [] })
    expect(await store.sessions.list({ limit: 0, pending: true })).toEqual({ items: [] })
    expect(await store.records.list({ limit: 0 })).toEqual({ items: [] })
  })
})

describe('what is left of a lock that was taken over', () => {
  it('goes when a store is opened, unless the lock is still there', async () => {
    await using place = await scratch()
    await fileStore(place.folder)[Symbol.asyncDispose]()
    const locks = join(place.folder, 'locks')
    const at = (name: string) => join(locks, name)
    const [dead, other] = [crypto.randomUUID(), crypto.randomUUID()]
    await writeFile(at(`${dead}.process`), JSON.stringify({ token: dead, pid: 2 ** 30, host: '' }))
    await copyFile(at(`${dead}.process`), at('kept.lock'))
    for (const name of ['gone', 'kept']) await link(at(`${dead}.process`), at(`${name}.lock.${other}`))
    await fileStore(place.folder)[Symbol.asyncDispose]()
    expect(existsSync(at(`gone.lock.${other}`))).toBe(false)
    expect(existsSync(at(`kept.lock.${other}`))).toBe(true)
  })
})
