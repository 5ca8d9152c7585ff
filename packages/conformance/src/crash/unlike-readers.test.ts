import { createRuntime, type Entry, memoryStore, Namespace, type SessionLog, type Store } from '@orra/core'
import { expect, it } from 'vitest'
import { scriptedProvider } from '../scripted-provider.ts'
import { unlikeReaders } from './unlike-readers.ts'

const bob = Namespace.of('user', 'bob')

/** The store as it is read by whoever comes next. */
function readAs(store: Store, change: (entry: Entry) => Entry): Store {
  const read: SessionLog['read'] = async (namespace, options) => {
    const logged = await store.sessions.read(namespace, options)
    return logged.map((one) => ({ ...one, entry: change(one.entry) }))
  }
  return { ...store, sessions: { ...store.sessions, read } }
}

async function found(change: (entry: Entry) => Entry = (entry) => entry): Promise<readonly string[]> {
  const options = { provider: scriptedProvider(['One.', 'Two.', 'Three.', 'A summary.', 'Four.']) }
  const store = memoryStore()
  await using orra = createRuntime({ ...options, store })
  await orra.run(bob, `First? ${'Tell me. '.repeat(50)}`)
  await orra.session(bob).pin(3)
  for (const text of ['Second?', 'Third?']) await orra.run(bob, `${text} ${'Tell me. '.repeat(50)}`)
  await orra.compact(bob)
  await orra.run(bob, 'Fourth?')
  await orra.run(Namespace.of('user', 'alice'), 'Hello.').catch(() => {})
  return await unlikeReaders(orra, options, readAs(store, change))
}

it('a log that all read alike is no problem', async () => {
  expect(await found()).toEqual([])
})

it.each<readonly [string, (entry: Entry) => Entry]>([
  ['forgets what was pinned', (entry) => (entry.type === 'compaction' ? { ...entry, pins: [] } : entry)],
  ['says something else', (entry) => (entry.type === 'compaction' ? { ...entry, summary: 'Another.' } : entry)],
  ['goes too far', (entry) => (entry.type === 'compaction' ? { ...entry, through: entry.through + 5 } : entry)],
])('finds a summary that %s for whoever reads it', async (_, change) => {
  expect(await found(change)).toEqual([bob.key])
})
