import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it } from 'vitest'
import { scratch } from './scratch.ts'

const run = promisify(execFile)

/** As version 1 made it. */
const VERSION_1 = `
  CREATE TABLE orra_schema (version INTEGER NOT NULL) STRICT;
  INSERT INTO orra_schema VALUES (1);
  CREATE TABLE orra_session (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    length INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    inbox TEXT NOT NULL,
    open_run TEXT,
    open_input TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    owner TEXT,
    lease_ends_at INTEGER
  ) STRICT;
  CREATE TABLE orra_entry (
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    input_key TEXT,
    entry TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT;
  CREATE UNIQUE INDEX orra_entry_input_key ON orra_entry (session, input_key) WHERE input_key IS NOT NULL;
  CREATE TABLE orra_fence (epoch INTEGER NOT NULL) STRICT;
  INSERT INTO orra_fence VALUES (7);
`

const now = 1_700_000_000_000
const [bob, alice, carol] = [Namespace.of('a', 'bob'), Namespace.of('a', 'alice'), Namespace.of('carol')] as const

const input = (key: string) =>
  ({ type: 'input', key, message: { role: 'user', content: [{ type: 'text', text: `${key} \0 ü` }] } }) as const
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
const bobs = [
  input('a'),
  { type: 'run-started', runId: 'run-1', input: 'a' },
  { type: 'run-ended', runId: 'run-1', reason: 'completed', usage },
  input('b'),
  { type: 'run-started', runId: 'run-2', input: 'b' },
  input('c'),
] as const

/** A file with a session in the midst of its second run under a lease, one in which a message waits, and an idle one. */
function writeVersion1(path: string): void {
  using db = new DatabaseSync(path)
  db.exec(VERSION_1)
  const session = db.prepare('INSERT INTO orra_session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const times = [now - 2000, now - 1000] as const
  session.run(1, bob.key, 'uid-1', 6, 5, '["b","c"]', 'run-2', 'b', '{"title":"B"}', ...times, 'one', now + 1000)
  session.run(2, alice.key, 'uid-2', 1, 0, '["w"]', null, null, '{}', ...times, null, null)
  session.run(3, carol.key, 'uid-3', 1, 7, '[]', null, null, '{"x":[1]}', ...times, null, now - 1)
  const entry = db.prepare('INSERT INTO orra_entry VALUES (?, ?, ?, ?, ?)')
  for (const [index, one] of bobs.entries()) {
    entry.run(1, index + 1, now - 1000, one.type === 'input' ? one.key : null, JSON.stringify(one))
  }
  entry.run(2, 1, now - 1000, 'w', JSON.stringify(input('w')))
  entry.run(3, 1, now - 1000, null, '{"type":"metadata","set":{"x":[1]}}')
}

describe('a file of version 1', () => {
  it('is brought to this version with all that it holds', async () => {
    await using place = await scratch()
    writeVersion1(place.path)
    let time = now
    await using store = sqliteStore(place.path, { now: () => time })
    const { sessions, records, counters } = store
    const times = { createdAt: now - 2000, updatedAt: now - 1000 }
    expect((await sessions.list()).items).toEqual([
      { namespace: alice.key, id: 'uid-2', length: 1, epoch: 0, inbox: ['w'], metadata: {}, ...times },
      {
        ...{ namespace: bob.key, id: 'uid-1', length: 6, epoch: 5, inbox: ['b', 'c'], metadata: { title: 'B' } },
        ...{ openRun: { runId: 'run-2', input: 'b', seq: 5 }, ...times },
      },
      { namespace: carol.key, id: 'uid-3', length: 1, epoch: 7, inbox: [], metadata: { x: [1] }, ...times },
    ])
    expect((await sessions.read(bob)).map(({ entry }) => entry)).toEqual(bobs)

    const pending = async () => (await sessions.list({ pending: true })).items.map(({ namespace }) => namespace)
    expect(await pending()).toEqual([alice.key])
    expect((await sessions.append(bob, [{ type: 'tool-started', callId: 'c' }], { epoch: 5 })).seqs).toEqual([7])
    expect((await sessions.append(bob, [input('a')])).seqs).toEqual([1])
    time += 1001
    expect(await pending()).toEqual([alice.key, bob.key])
    expect((await sessions.claim(bob, { owner: 'two', ttlMs: 1000 }))?.epoch).toBe(8)

    await records.put({ collection: 'memory', namespace: bob, id: 'one' }, 1)
    await counters.reserve([{ namespace: bob, counter: 'usd', window: 'all', amount: 1 }], { ttlMs: 1000 })
    expect(await sessions.delete(Namespace.of('a'), { descendants: true })).toBe(2)
  })

  it('is brought to this version once, though several processes open it at the same moment', async () => {
    await using place = await scratch()
    writeVersion1(place.path)
    const worker = join(import.meta.dirname, 'worker.ts')
    const args = ['--conditions=@orra/source', worker, place.path]
    await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)))
    await using store = sqliteStore(place.path)
    const { items } = await store.sessions.list()
    expect(items.map(({ namespace, length }) => [namespace, length])).toEqual([
      [alice.key, 1],
      [bob.key, 6],
      ['bob', 4],
      [carol.key, 1],
    ])
  })
})
