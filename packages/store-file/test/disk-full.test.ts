import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOrraError, Namespace, type Store } from '@orra/core'
import { fileStore, type Recovery } from '@orra/store-file'
import { describe, expect, it } from 'vitest'
import { bob, input } from './scratch.ts'
import { smallDisk } from './small-disk.ts'

const NO_DISK = 'this process may not mount a disk of its own; run the tests as root to try it'
const isFull = (error: unknown) => isOrraError(error, 'store.unusable') && error.message.includes('the disk is full')

/** Does `work` until the disk is full; returns what it did until then. */
async function untilFull<T>(work: (count: number) => Promise<T>): Promise<readonly T[]> {
  const done: T[] = []
  try {
    for (;;) done.push(await work(done.length))
  } catch (error) {
    expect(error).toSatisfy(isFull)
    return done
  }
}

describe('a disk that is full', () => {
  it.for(['never', 'always'] as const)(
    'is told of, and nothing accepted is lost (sync: %s)',
    async (sync, { skip }) => {
      using disk = smallDisk()
      if (!disk) return skip(NO_DISK)
      const recoveries: Recovery[] = []
      const open = () => fileStore(join(disk.folder, 'store'), { sync, onRecovered: (what) => recoveries.push(what) })
      const room = join(disk.folder, 'room')
      await writeFile(room, Buffer.alloc(64 * 1024))

      await using store = open()
      const accepted = await untilFull((count) =>
        store.sessions.append(bob, [input(`${count}`.repeat(3000), `${count}`)]),
      )
      const put = (id: string) => store.records.put({ collection: 'c', namespace: bob, id }, 'x'.repeat(5000))
      await untilFull((count) => put(`${count}`))
      await checkWhole(store, accepted.length)
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await expect(store.sessions.append(bob, [input('x'.repeat(20_000), 'refused')])).rejects.toSatisfy(isFull)
      }
      await checkWhole(store, accepted.length)

      await rm(room)
      expect((await store.sessions.append(bob, [input('after', 'after')])).seqs).toEqual([accepted.length + 1])
      await using again = open()
      await checkWhole(again, accepted.length + 1)
      expect(recoveries).toEqual([])
    },
  )

  it('still lets be read what is there', async ({ skip }) => {
    using disk = smallDisk()
    if (!disk) return skip(NO_DISK)
    const folder = join(disk.folder, 'store')
    {
      await using store = fileStore(folder)
      await store.sessions.append(bob, [input('a')])
      await untilFull((count) => store.sessions.append(Namespace.of('other'), [input('x'.repeat(5000), `${count}`)]))
    }
    await writeFile(join(disk.folder, 'rest'), Buffer.alloc(1024 * 1024)).catch(() => {})
    await using store = fileStore(folder)
    expect(await store.sessions.read(bob)).toHaveLength(1)
    expect((await store.sessions.list()).items).toHaveLength(2)
  })
})

describe('a disk that can only be read', () => {
  it('can be read, and says why it cannot be written', async ({ skip }) => {
    using disk = smallDisk()
    if (!disk) return skip(NO_DISK)
    const folder = join(disk.folder, 'store')
    {
      await using store = fileStore(folder)
      await store.sessions.append(bob, [input('a')])
    }
    disk.makeReadOnly()
    expect(() => fileStore(join(disk.folder, 'new'))).toThrow('can only be read')
    await using store = fileStore(folder)
    expect(await store.sessions.read(bob)).toHaveLength(1)
    await expect(store.sessions.append(bob, [input('b')])).rejects.toThrow('can only be read')
  })
})

/** Every entry that was accepted is there, and no other. */
async function checkWhole(store: Store, length: number): Promise<void> {
  const entries = await store.sessions.read(bob, { limit: 100_000 })
  expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length }, (_, index) => index + 1))
  expect(await store.sessions.head(bob)).toMatchObject({ length })
}
