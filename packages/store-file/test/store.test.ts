import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOrraError, Namespace } from '@orra/core'
import { fileStore } from '@orra/store-file'
import { describe, expect, it } from 'vitest'
import { bob, input, logOf, message, scratch } from './scratch.ts'

const isUnusable = (error: unknown) => isOrraError(error, 'store.unusable')

describe('the folder of a store', () => {
  it('can be read by people', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    const anna = Namespace.of('tenant', 'acme', 'user', 'Anna')
    await store.sessions.append(anna, [input('Hello', 'k')])
    await store.records.put({ collection: 'memory', namespace: anna, id: 'tea' }, { text: 'green' })
    const user = join('tenant', 'acme', 'user', '%41nna')
    const log = await readFile(join(place.folder, 'sessions', user, '@session', 'log.jsonl'), 'utf8')
    expect(log.split('\n')).toHaveLength(2)
    expect(JSON.parse(log)).toMatchObject({ head: { length: 1 }, entries: [{ seq: 1, entry: { key: 'k' } }] })
    const record = await readFile(join(place.folder, 'records', user, '@records', 'memory', 'tea.json'), 'utf8')
    expect(JSON.parse(record)).toMatchObject({ id: 'tea', value: { text: 'green' } })
  })

  it('is left empty by what is deleted', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    const deep = Namespace.of('a', 'b', 'c')
    await store.sessions.append(deep, [input('x')])
    await store.sessions.append(bob, [input('x')])
    await store.records.put({ collection: 'c', namespace: deep, id: 'i' }, 1)
    expect(await store.sessions.delete(Namespace.of('a'), { descendants: true })).toBe(1)
    expect(await store.sessions.delete(bob)).toBe(1)
    await store.records.delete({ collection: 'c', namespace: deep, id: 'i' })
    for (const inner of ['sessions', 'records', 'pending', 'passing']) {
      expect(await readdir(join(place.folder, inner))).toEqual([])
    }
    await store[Symbol.asyncDispose]()
    expect(await readdir(join(place.folder, 'locks'))).toEqual([])
  })

  it('loses what a process that died was about to remove, when it is opened again', async () => {
    await using place = await scratch()
    await fileStore(place.folder)[Symbol.asyncDispose]()
    await mkdir(join(place.folder, 'passing', `${crypto.randomUUID()}-1`, 'half'), { recursive: true })
    await using open = fileStore(place.folder)
    await open.sessions.append(bob, [input('a')])
    await fileStore(place.folder)[Symbol.asyncDispose]()
    expect(await readdir(join(place.folder, 'passing'))).toEqual([])
    expect(await open.sessions.head(bob)).toMatchObject({ length: 1 })
  })

  it('may name sessions as having work that have none; whoever looks puts that right', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    await store.sessions.append(bob, [input('a')])
    const pending = join(place.folder, 'pending')
    await writeFile(join(pending, 'nobody'), 'nobody')
    expect((await store.sessions.list({ pending: true })).items).toMatchObject([{ namespace: 'bob' }])
    expect(await readdir(pending)).toEqual(['bob'])
  })

  it('is made with all that leads to it, and found wherever the process goes', async () => {
    await using place = await scratch()
    const folder = join(place.folder, 'a', 'b')
    await using store = fileStore(folder, { sync: 'always' })
    await store.sessions.append(Namespace.of('x', 'y'), [input('a')])
    expect(existsSync(join(folder, 'orra.json'))).toBe(true)
  })
})

describe('a store that is used a lot', () => {
  it('keeps what it knows of some sessions only, and is right about all', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    const all = Array.from({ length: 300 }, (_, index) => Namespace.of('u', `${index}`))
    for (const one of [...all, ...all]) await store.sessions.append(one, [input('a'), input(crypto.randomUUID())])
    for (const one of all) expect(await store.sessions.head(one)).toMatchObject({ length: 3 })
  })

  it('reads as much of a long log for an append as of a short one', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    await using other = fileStore(place.folder)
    const { epoch = 0 } = (await store.sessions.claim(bob, { owner: 'one', ttlMs: 60_000 })) ?? {}
    const entries = Array.from({ length: 1000 }, () => message('x'.repeat(1000)))
    for (let part = 0; part < 10; part += 1) await store.sessions.append(bob, entries, { epoch })
    await other.sessions.read(bob, { after: 9999 })
    // Were the log read again, it would be seen that its beginning is gone.
    const path = logOf(place.folder)
    const bytes = await readFile(path)
    await writeFile(path, bytes.fill(0x20, 0, bytes.length - 2000), { flag: 'r+' })
    expect((await store.sessions.append(bob, [message('y')], { epoch })).seqs).toEqual([10_001])
    expect((await other.sessions.append(bob, [message('z')], { epoch })).seqs).toEqual([10_002])
    expect(await store.sessions.read(bob, { after: 10_000 })).toHaveLength(2)
  })
})

describe('a folder that cannot be used', () => {
  it.each([
    ['is a file', (folder: string) => writeFile(folder, ''), 'a file stands where a folder must be'],
    ['lies in a file', (folder: string) => writeFile(join(folder, '..'), ''), 'a file stands where a folder must be'],
    [
      'has a damaged orra.json',
      async (folder: string) => {
        await mkdir(folder)
        await writeFile(join(folder, 'orra.json'), 'x')
      },
      'its orra.json is damaged',
    ],
  ])('is told in a sentence: it %s', async (name, make, problem) => {
    await using place = await scratch()
    const folder = name === 'lies in a file' ? join(place.folder, 'file', 'store') : join(place.folder, 'store')
    await make(folder)
    try {
      fileStore(folder)
      expect.unreachable()
    } catch (error) {
      expect(isUnusable(error) && `${error}`).toContain(problem)
    }
  })

  it('of a newer version says what to do, and is left alone', async () => {
    await using place = await scratch()
    await writeFile(join(place.folder, 'orra.json'), '{"schema":99}')
    expect(() => fileStore(place.folder)).toThrow('update the package')
    expect(await readdir(place.folder)).toEqual(['orra.json'])
  })

  it('with options that it does not have is refused, rather than less durable than was asked for', () => {
    for (const options of [{ sync: 'ALWAYS' }, { fsync: true }, { busyTimeoutMs: -1 }]) {
      expect(() => fileStore('never-made', options as never)).toThrow(/cannot be used/)
    }
    expect(existsSync('never-made')).toBe(false)
  })

  it('after it was closed says so', async () => {
    await using place = await scratch()
    const store = fileStore(place.folder)
    await store[Symbol.asyncDispose]()
    await expect(store.sessions.head(bob)).rejects.toSatisfy(isUnusable)
    await expect(store.counters.list()).rejects.toThrow('it was closed; open another')
  })

  it('because a record or the last number was damaged names the file', async () => {
    await using place = await scratch()
    await using store = fileStore(place.folder)
    const key = { collection: 'c', namespace: bob, id: 'i' }
    await store.records.put(key, 1)
    await writeFile(join(place.folder, 'records', 'bob', '@records', 'c', 'i.json'), '{"half')
    await expect(store.records.get(key)).rejects.toThrow('its record i.json is damaged')
    await writeFile(join(place.folder, 'last-number'), 'what?')
    await expect(store.sessions.claim(bob, { owner: 'o', ttlMs: 1000 })).rejects.toThrow('last-number is damaged')
  })

  it('because it was removed says so', async () => {
    await using place = await scratch()
    await using store = fileStore(join(place.folder, 'store'))
    await store.sessions.append(bob, [input('a')])
    await rm(join(place.folder, 'store'), { recursive: true })
    await expect(store.sessions.append(bob, [input('b')])).rejects.toThrow('moved or removed')
  })
})
