import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeCrashes } from '@orra/conformance'
import { type Entry, isOrraError, Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it } from 'vitest'
import { scratch } from './scratch.ts'

const run = promisify(execFile)
const bob = Namespace.of('bob')
const worker = join(import.meta.dirname, 'worker.ts')
const execArgv = ['--conditions=@orra/source']

async function entriesOf(path: string): Promise<readonly Entry[]> {
  await using store = sqliteStore(path)
  return (await store.sessions.read(bob, { limit: 100_000 })).map(({ entry }) => entry)
}

describe('several processes on one file', () => {
  it('may make it at the same moment, and each has its place in the log', async () => {
    await using place = await scratch()
    const openings = Array.from({ length: 6 }, () => run(process.execPath, [...execArgv, worker, place.path]))
    await Promise.all(openings)
    expect(await entriesOf(place.path)).toHaveLength(6)
  })
})

describeCrashes('a bot on it', {
  module: new URL('./crash-app.ts', import.meta.url),
  place: async () => {
    const { folder, [Symbol.asyncDispose]: dispose } = await scratch()
    return { place: folder, dispose }
  },
  againEvery: 0,
})

describe('a file that cannot be used', () => {
  it.each([
    [
      'a text',
      async (path: string) => writeFile(path, 'This is a text that is long enough to be one, whoever looks at it.'),
      'is not a SQLite database',
    ],
    ['a folder that is not there', async () => {}, 'it must be a file, in a folder that is there'],
  ])('is told in a sentence: %s', async (name, make, problem) => {
    await using place = await scratch()
    const path = name === 'a text' ? place.path : join(place.folder, 'nowhere', 'orra.db')
    await make(path)
    try {
      sqliteStore(path)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'store.unusable') && error.message).toContain(problem)
    }
  })

  it('with options that it does not have is refused, rather than less durable than was asked for', () => {
    for (const options of [{ synchronous: 'FULL' }, { sync: 'full' }]) {
      expect(() => sqliteStore(':memory:', options as never)).toThrow(/synchronous/)
    }
  })

  it('of a newer version says what to do', async () => {
    await using place = await scratch()
    await sqliteStore(place.path)[Symbol.asyncDispose]()
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(place.path)
    db.exec('UPDATE orra_schema SET version = 99')
    db.close()
    expect(() => sqliteStore(place.path)).toThrow('update the package')
  })

  it('after it was closed says so', async () => {
    const store = sqliteStore(':memory:')
    await store[Symbol.asyncDispose]()
    await expect(store.sessions.head(bob)).rejects.toSatisfy((error) => isOrraError(error, 'store.unusable'))
  })

  it('may hold an application’s own tables', async () => {
    await using place = await scratch()
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(place.path)
    db.exec("CREATE TABLE session (id TEXT); INSERT INTO session VALUES ('mine'); PRAGMA user_version = 7")
    await using store = sqliteStore(place.path)
    await store.sessions.append(bob, [{ type: 'metadata', set: { title: 'T' } }])
    expect(db.prepare('SELECT id FROM session').all()).toEqual([{ id: 'mine' }])
    db.close()
  })
})

it('leaves nothing of what is erased in its files', async () => {
  await using place = await scratch()
  const { folder, path } = place
  await using store = sqliteStore(path)
  const secret = 'xylophone'
  const message = { role: 'user', content: [{ type: 'text', text: `${secret} `.repeat(200) }] } as const
  const eve = Namespace.of('tenant', secret)
  for (let index = 0; index < 20; index += 1) {
    await store.sessions.append(eve, [{ type: 'input', key: `${index}`, message }])
    await store.records.put({ collection: 'memory', namespace: eve, id: `${index}` }, { note: `${secret} ${index}` })
    await store.sessions.append(bob, [{ type: 'metadata', set: { index } }])
  }
  const claim = { namespace: eve, counter: 'calls', window: 'all', amount: 1 }
  await store.counters.reserve([claim], { ttlMs: 1000 })
  await store.sessions.delete(eve, { descendants: true })
  await store.records.erase(eve)
  await store.counters.erase(eve)
  for (const file of await readdir(folder)) {
    expect((await readFile(join(folder, file))).includes(secret), file).toBe(false)
  }
})
