import { canSearch, type Store } from '@orra/core'
import { expect } from 'vitest'
import { waitingFor } from './approvals.ts'
import { talked } from './compactions.ts'
import {
  alice,
  bob,
  claimed,
  code,
  compaction,
  decided,
  fenced,
  input,
  message,
  pinned,
  run,
  started,
  suspended,
} from './entries.ts'
import { reopened, type Scenario, type Tested } from './scenario.ts'

/** The same data through a new store, once the one before is closed. */
async function restarted(tested: Tested): Promise<Store> {
  await tested.store[Symbol.asyncDispose]()
  return reopened(tested)
}

/** What a durable store finds again. */
export function restartScenarios(scenario: Scenario): void {
  scenario('finds sessions as they were', async (tested) => {
    const { sessions } = tested
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [input('a', 'k'), input('b'), { type: 'metadata', set: { title: 'T' } }])
    await sessions.append(bob, [started('k'), { ...message('a'), input: 'k' }], { epoch })
    await sessions.append(alice, [input('waits')])
    const state = async (store: Store) => ({
      head: await store.sessions.head(bob),
      entries: await store.sessions.read(bob),
      list: await store.sessions.list(),
      pending: await store.sessions.list({ pending: true }),
    })
    const before = await state(tested.store)

    await using again = await restarted(tested)
    expect(await state(again)).toEqual(before)
    expect(before.head).toMatchObject({ openRun: { runId: run, input: 'k', seq: 4 }, inbox: ['b'] })
    expect((await again.sessions.append(bob, [input('b', 'k')])).seqs).toEqual([1])
    await expect(again.sessions.append(bob, [message('m')], { epoch: epoch - 1 })).rejects.toSatisfy(fenced)
    expect(await again.sessions.claim(bob, { owner: 'new', ttlMs: 1000 })).toBeUndefined()
    await again.sessions.append(bob, [message('m')], { epoch })
    tested.advance(1001)
    expect((await claimed(again.sessions, 'new')).epoch).toBeGreaterThan(epoch)
  })

  scenario('finds what waits for a decision, and hides it until somebody decides', async (tested) => {
    const { epoch, asked, release } = await waitingFor(tested.sessions, ['x', 'y'])
    await tested.sessions.append(bob, [suspended(asked.get('y') ?? 0)], { epoch })
    await release()
    const before = await tested.sessions.head(bob)
    expect(before?.openRun).toMatchObject({ approvals: [{ callId: 'x' }, { callId: 'y' }], suspended: true })

    await using again = await restarted(tested)
    expect(await again.sessions.head(bob)).toEqual(before)
    expect((await again.sessions.list({ pending: true })).items).toEqual([])
    const decision = decided('x', asked.get('x') ?? 0)
    expect(await again.sessions.append(bob, [decision])).toMatchObject({ written: 1 })
    expect(await again.sessions.append(bob, [decision])).toMatchObject({ written: 0 })
    expect((await again.sessions.list({ pending: true })).items).toEqual([await again.sessions.head(bob)])
  })

  scenario('finds what a summary stands for, and takes only one that follows it', async (tested) => {
    const id = await talked(tested.sessions, ['a', 'b'])
    await tested.sessions.append(bob, [pinned(id, 3), compaction(id, 4)])
    const before = await tested.sessions.head(bob)
    const logged = await tested.sessions.read(bob)
    expect(before?.compaction).toEqual({ seq: 10, through: 4 })

    await using again = await restarted(tested)
    expect(await again.sessions.head(bob)).toEqual(before)
    expect(await again.sessions.read(bob)).toEqual(logged)
    expect((await again.sessions.list()).items).toEqual([before])
    expect(await again.sessions.append(bob, [compaction(id, 8)])).toMatchObject({ seqs: [0], written: 0 })
    expect(await again.sessions.append(bob, [compaction(id, 8, 4)])).toMatchObject({ seqs: [11], written: 1 })
  })

  scenario('uses no epoch of a deleted session again', async (tested) => {
    const { epoch } = await claimed(tested.sessions)
    await tested.sessions.delete(bob)
    await using again = await restarted(tested)
    expect(await again.sessions.head(bob)).toBeUndefined()
    expect((await claimed(again.sessions)).epoch).toBeGreaterThan(epoch)
  })

  scenario('finds records as they were, and uses no version again', async (tested) => {
    const { records } = tested
    const key = { collection: 'memory', namespace: bob, id: 'one' }
    await records.put(key, { text: 'kept words' })
    const gone = await records.put({ ...key, id: 'two' }, 'gone words')
    await records.delete({ ...key, id: 'two' })
    const before = await records.list()

    await using again = await restarted(tested)
    expect(await again.records.list()).toEqual(before)
    if (canSearch(again.records)) expect(await again.records.search('words')).toEqual(before.items)
    await expect(again.records.put(key, 1, { version: 0 })).rejects.toSatisfy(code('store.conflict'))
    expect((await again.records.put({ ...key, id: 'two' }, 1)).version).toBeGreaterThan(gone.version)
  })

  scenario('finds counters and reservations as they were', async (tested) => {
    const { counters } = tested
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 4, limit: 10 }
    const settled = await counters.reserve([claim], { ttlMs: 1000 })
    if (settled.granted) await counters.settle(settled.id, [3])
    const open = await counters.reserve([claim], { ttlMs: 1000 })
    const before = await counters.list()
    expect(before.items).toMatchObject([{ used: 3, reserved: 4 }])

    await using again = await restarted(tested)
    expect(await again.counters.list()).toEqual(before)
    expect(await again.counters.reserve([claim], { ttlMs: 1000 })).toEqual({ granted: false, claim: 0, taken: 7 })
    expect(settled.granted && (await again.counters.settle(settled.id, [3]))).toBe(false)
    expect(open.granted && (await again.counters.extend(open.id, 1000))).toBe(true)
    expect(open.granted && (await again.counters.settle(open.id, [7]))).toBe(true)
    expect((await again.counters.list()).items).toMatchObject([{ used: 10, reserved: 0 }])
  })
}
