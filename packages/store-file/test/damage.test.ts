import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isOrraError, type LoggedEntry } from '@orra/core'
import { fileStore, type Recovery } from '@orra/store-file'
import { describe, expect, it } from 'vitest'
import { bob, input, keptIn, logOf, scratch } from './scratch.ts'

const APPENDS = [[input('a')], [input('b'), input('ç')], [input('d')]]

/** A store in which something was appended three times, closed, and its log. */
async function written() {
  const place = await scratch()
  await using store = fileStore(place.folder)
  const ends: number[] = []
  const path = logOf(place.folder)
  for (const entries of APPENDS) {
    await store.sessions.append(bob, entries)
    ends.push((await readFile(path)).length)
  }
  const entries = await store.sessions.read(bob)
  return { ...place, path, bytes: await readFile(path), ends, entries, lengths: [1, 3, 4] }
}

/** What a new store finds, and what it tells. */
async function found(folder: string) {
  const recoveries: Recovery[] = []
  await using store = fileStore(folder, { onRecovered: (what) => recoveries.push(what) })
  const head = await store.sessions.head(bob)
  const entries = await store.sessions.read(bob)
  const { seqs } = await store.sessions.append(bob, [input('after')])
  expect((await store.sessions.read(bob)).length).toBe(entries.length + 1)
  return { head, entries, seqs, recoveries }
}

const unusable = (error: unknown) => isOrraError(error, 'store.unusable')

describe('a log that was cut off', () => {
  it('anywhere, has every append before it, goes on from there, and nothing is thrown away', async () => {
    await using place = await written()
    const { folder, path, bytes, ends, entries, lengths } = place
    // Every byte of the last line, and some of those before.
    for (let size = 0; size < bytes.length; size += size < (ends[1] ?? 0) ? 5 : 1) {
      await writeFile(path, bytes.subarray(0, size))
      const whole = ends.findLastIndex((end) => end <= size)
      const length = lengths[whole] ?? 0
      const dropped = size - (ends[whole] ?? 0)

      const { head, recoveries, ...rest } = await found(folder)
      expect(rest).toEqual({ entries: entries.slice(0, length), seqs: [length + 1] })
      expect(head?.length ?? 0).toBe(length)
      expect(recoveries.map(({ droppedBytes }) => droppedBytes)).toEqual(dropped > 0 ? [dropped] : [])
      const kept = await keptIn(dirname(path))
      expect(kept).toEqual(recoveries.map((recovery) => recovery.keptIn))
      for (const file of kept) {
        expect(await readFile(file)).toEqual(bytes.subarray(size - dropped, size))
        await rm(file)
      }
    }
  }, 60_000)

  it('is mended by a store that knew it before it was', async () => {
    await using place = await scratch()
    const recoveries: Recovery[] = []
    await using store = fileStore(place.folder, {
      onRecovered(what) {
        recoveries.push(what)
        throw new Error('the fault of one who is told')
      },
    })
    await store.sessions.append(bob, [input('a')])
    const path = logOf(place.folder)
    await writeFile(path, '{"head":{"na', { flag: 'a' })
    expect(await store.sessions.head(bob)).toMatchObject({ length: 1 })
    expect(recoveries).toMatchObject([{ namespace: 'bob', file: path, droppedBytes: 12 }])
    expect((await store.sessions.append(bob, [input('b')])).seqs).toEqual([2])
  })
})

describe('a log in which a byte is not what it was', () => {
  it('gives what is whole before it, or says which line it is; and never anything else', async () => {
    await using place = await written()
    const { folder, path, bytes, entries, ends, lengths } = place
    const seen = { told: 0, mended: 0 }
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 0x21
      await writeFile(path, changed)
      const line = ends.findIndex((end) => at < end)
      if (line < ends.length - 1) {
        const problem = await found(folder).catch((error: unknown) => (unusable(error) ? `${error}` : error))
        expect(problem).toContain(`line ${line + 1} of log.jsonl is damaged`)
        expect(await readFile(path)).toEqual(changed)
        expect(await keptIn(dirname(path))).toEqual([])
        seen.told += 1
      } else {
        const { recoveries, entries: rest } = await found(folder)
        expect(rest).toEqual(entries.slice(0, lengths[line - 1]))
        expect(recoveries).toHaveLength(1)
        for (const file of await keptIn(dirname(path))) await rm(file)
        seen.mended += 1
      }
    }
    expect(seen.told).toBeGreaterThan(50)
    expect(seen.mended).toBeGreaterThan(50)
  }, 60_000)

  it('may be followed by a session of the same name, which knows nothing of it', async () => {
    await using place = await written()
    await using store = fileStore(place.folder)
    await using other = fileStore(place.folder)
    const texts = (entries: readonly LoggedEntry[]) => entries.map(({ entry }) => entry.type === 'input' && entry.key)
    expect(texts(await store.sessions.read(bob))).toEqual(['a', 'b', 'ç', 'd'])
    for (const entries of [[...APPENDS], [[input('e')]], [...APPENDS]]) {
      await other.sessions.delete(bob)
      for (const those of entries) await other.sessions.append(bob, those)
      expect(texts(await store.sessions.read(bob))).toEqual(entries.flat().map(({ key }) => key))
      expect(await store.sessions.head(bob)).toEqual(await other.sessions.head(bob))
    }
  })
})

describe('the log of counters', () => {
  const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 2 }

  it('cut off anywhere, counts what was whole', async () => {
    await using place = await scratch()
    const path = join(place.folder, 'counters.jsonl')
    const ends: number[] = []
    {
      await using store = fileStore(place.folder)
      for (let count = 0; count < 3; count += 1) {
        await store.counters.reserve([claim], { ttlMs: 60_000 })
        ends.push((await readFile(path)).length)
      }
    }
    const bytes = await readFile(path)
    for (let size = 0; size < bytes.length; size += 3) {
      await writeFile(path, bytes.subarray(0, size))
      const recoveries: Recovery[] = []
      await using store = fileStore(place.folder, { onRecovered: (what) => recoveries.push(what) })
      const whole = ends.filter((end) => end <= size).length
      const { items } = await store.counters.list()
      expect(items.map(({ reserved }) => reserved)).toEqual(whole === 0 ? [] : [2 * whole])
      expect(recoveries).toHaveLength(size === 0 || ends.includes(size) ? 0 : 1)
      for (const file of await keptIn(place.folder)) await rm(file)
    }
  }, 60_000)

  it('is written anew now and then, and other stores notice', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    await using other = fileStore(place.folder)
    const open = await store.counters.reserve([claim], { ttlMs: 600_000 })
    for (let count = 0; count < 700; count += 1) {
      const asked = await (count % 2 ? store : other).counters.reserve([claim], { ttlMs: 60_000 })
      if (asked.granted) await (count % 3 ? store : other).counters.settle(asked.id, [1])
    }
    const lines = (await readFile(join(place.folder, 'counters.jsonl'), 'utf8')).split('\n')
    expect(lines.length).toBeLessThan(1100)
    const expected = [{ namespace: 'bob', counter: 'usd', window: 'all', used: 700, reserved: 2 }]
    for (const { counters } of [store, other]) expect((await counters.list()).items).toEqual(expected)
    expect(open.granted && (await other.counters.settle(open.id, [1]))).toBe(true)
    expect((await store.counters.list()).items).toMatchObject([{ used: 701, reserved: 0 }])
  })
})
