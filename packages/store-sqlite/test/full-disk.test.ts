import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { isOrraError, Namespace, type Store } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it } from 'vitest'
import { storeOn } from '../src/sqlite-store.ts'
import { scratch } from './scratch.ts'

const run = promisify(execFile)
const bob = Namespace.of('bob')
const record = { collection: 'memory', namespace: bob, id: 'big' }

function entry(key: string) {
  const message = { role: 'user', content: [{ type: 'text', text: 'x'.repeat(20_000) }] } as const
  return { type: 'input', key, message } as const
}

const isFull = (error: unknown) => isOrraError(error, 'store.unusable') && error.message.includes('the disk is full')

async function keysIn({ sessions }: Store): Promise<readonly string[]> {
  return (await sessions.read(bob)).flatMap(({ entry }) => (entry.type === 'input' ? entry.key : []))
}

/** Fills the disk, and goes on once there is room. Returns the keys of what was accepted. */
async function fillAndGoOn(store: Store, makeRoom: () => Promise<unknown>): Promise<readonly string[]> {
  const accepted: string[] = []
  let refusal: unknown
  while (refusal === undefined) {
    const key = `${accepted.length}`
    await store.sessions.append(bob, [entry(key)]).then(
      () => accepted.push(key),
      (error) => {
        refusal = error
      },
    )
  }
  expect(refusal).toSatisfy(isFull)
  expect(accepted.length).toBeGreaterThan(3)
  expect(await keysIn(store)).toEqual(accepted)
  await expect(store.records.put(record, 'x'.repeat(100_000))).rejects.toSatisfy(isFull)
  expect(await store.records.get(record)).toBeUndefined()

  await makeRoom()
  const { seqs } = await store.sessions.append(bob, [entry('after')])
  expect(seqs).toEqual([accepted.length + 1])
  await store.records.put(record, 'x'.repeat(100_000))
  expect(await keysIn(store)).toEqual([...accepted, 'after'])
  return [...accepted, 'after']
}

describe('a full disk', () => {
  it('loses nothing that was accepted, and is told in words', async () => {
    await using place = await scratch()
    await sqliteStore(place.path)[Symbol.asyncDispose]()
    const db = new DatabaseSync(place.path)
    db.exec('PRAGMA max_page_count = 100')
    const keys = await (async () => {
      await using store = storeOn(db, { path: place.path, busyTimeoutMs: 0, now: Date.now })
      return await fillAndGoOn(store, async () => db.exec('PRAGMA max_page_count = 10000'))
    })()
    await using again = sqliteStore(place.path)
    expect(await keysIn(again)).toEqual(keys)
  })

  it('that is a real one does, too', async ({ skip }) => {
    await using place = await scratch()
    const folder = join(place.folder, 'small')
    await mkdir(folder)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).then(
      () => true,
      () => false,
    )
    if (!mounted) skip('Only root can mount a small disk.')
    try {
      const path = join(folder, 'orra.db')
      const keys = await (async () => {
        await using store = sqliteStore(path)
        return await fillAndGoOn(store, () => run('mount', ['-o', 'remount,size=16m', folder]))
      })()
      await using again = sqliteStore(path)
      expect(await keysIn(again)).toEqual(keys)
    } finally {
      await run('umount', [folder])
    }
  })
})
