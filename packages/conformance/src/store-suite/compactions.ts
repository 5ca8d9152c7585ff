import type { CompactionEntry, SessionLog } from '@orra/core'
import { expect } from 'vitest'
import {
  alice,
  bob,
  claimed,
  compaction,
  ended,
  entriesOf,
  input,
  message,
  pinned,
  started,
  suspended,
  textsOf,
} from './entries.ts'
import { hostileTexts } from './hostile.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

/** What of a session's head a compaction may change. */
const CHANGED = { length: expect.any(Number), updatedAt: expect.any(Number) }

async function pending(sessions: SessionLog): Promise<readonly string[]> {
  return (await sessions.list({ pending: true })).items.map(({ namespace }) => namespace)
}

/** A session of bob's with a run for each text, of four entries each. Returns its id. */
export async function talked(sessions: SessionLog, texts: readonly string[]): Promise<string> {
  const { epoch, head, release } = await claimed(sessions)
  const turns = texts.flatMap((text) => [input(text), started(text), { ...message(text), input: text }, ended()])
  await sessions.append(bob, turns, { epoch })
  await release()
  return head.id
}

/** A summary stands in the place of older turns. */
export function compactionScenarios(scenario: Scenario): void {
  scenario('needs no lease, and is kept in the head', async ({ sessions }) => {
    const id = await talked(sessions, ['a', 'b'])
    const before = await sessions.head(bob)
    expect(before).not.toHaveProperty('compaction')
    const { seqs, written, head } = await sessions.append(bob, [compaction(id, 4)])
    expect({ seqs, written }).toEqual({ seqs: [9], written: 1 })
    expect(head).toEqual({ ...before, ...CHANGED, compaction: { seq: 9, through: 4 } })
    await sessions.append(bob, [input('c'), { type: 'metadata', set: { title: 'Talk' } }])
    await talked(sessions, ['d'])
    expect(await sessions.head(bob)).toMatchObject({ length: 15, compaction: { seq: 9, through: 4 } })
  })

  scenario('is shown by lists and by a claim, and not by another session', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    await sessions.append(alice, [input('hers')])
    await sessions.append(bob, [compaction(id, 4), input('waits')])
    const head = await sessions.head(bob)
    expect(head?.compaction).toEqual({ seq: 5, through: 4 })
    expect((await sessions.list({ within: bob })).items).toEqual([head])
    expect((await sessions.list({ pending: true })).items).toContainEqual(head)
    expect((await claimed(sessions)).head.compaction).toEqual({ seq: 5, through: 4 })
    expect(await sessions.head(alice)).not.toHaveProperty('compaction')
  })

  scenario('comes back as it was', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    const usage = { inputTokens: 1200, outputTokens: 80, cacheReadTokens: 3, cacheWriteTokens: 2 }
    const pins = hostileTexts.map((text, index) => ({ seq: index + 1, message: message(text).message }))
    const summary = hostileTexts.join('\n').padEnd(100_000, 'so it is, ')
    const whole: CompactionEntry = { ...compaction(id, 4), summary, pins, usage, model: 'small' }
    const next = compaction(id, 5, 4)
    await sessions.append(bob, [whole, next])
    expect(entriesOf(await sessions.read(bob, { after: 4 }))).toEqual([whole, next])
    expect(entriesOf(await sessions.read(bob, { after: 4, limit: 1 }))).toEqual([whole])
  })

  scenario('follows the one before, or is left out', async ({ sessions }) => {
    const id = await talked(sessions, ['a', 'b', 'c'])
    expect(await sessions.append(bob, [compaction(id, 8, 4)])).toMatchObject({ seqs: [0], written: 0 })
    expect((await sessions.append(bob, [compaction(id, 4), compaction(id, 4)])).seqs).toEqual([13, 0])
    const before = await sessions.head(bob)
    for (const late of [compaction(id, 4), compaction(id, 12), compaction(id, 12, 3), compaction(id, 4, 4)]) {
      expect(await sessions.append(bob, [late])).toMatchObject({ seqs: [0], written: 0, head: before })
    }
    expect((await sessions.append(bob, [compaction(id, 8, 4), compaction(id, 12, 8)])).seqs).toEqual([14, 15])
    expect((await sessions.head(bob))?.compaction).toEqual({ seq: 15, through: 12 })
  })

  scenario('is of the session that it names, or is left out', async ({ sessions }) => {
    expect(await sessions.append(bob, [compaction('none', 4)])).toMatchObject({ seqs: [0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    const id = await talked(sessions, ['a'])
    await sessions.append(alice, [input('hers')])
    expect(await sessions.append(alice, [compaction(id, 1)])).toMatchObject({ seqs: [0], written: 0 })
    await sessions.delete(bob)
    await talked(sessions, ['a', 'b'])
    expect(await sessions.append(bob, [compaction(id, 4), input('c')])).toMatchObject({ seqs: [0, 9], written: 1 })
    expect(await sessions.head(bob)).not.toHaveProperty('compaction')
  })

  scenario('is copied with its log by whoever has the lease', async ({ sessions }) => {
    const { epoch } = await claimed(sessions)
    const copied = [compaction('another', 4), compaction('another', 8, 3), compaction('another', 8, 4)]
    expect((await sessions.append(bob, copied, { epoch })).seqs).toEqual([1, 0, 2])
    expect((await sessions.head(bob))?.compaction).toEqual({ seq: 2, through: 8 })
  })

  scenario('is written by one of many at once', async ({ sessions }) => {
    const id = await talked(sessions, ['a', 'b'])
    const summaries = numbers(20).map((index) => ({ ...compaction(id, index % 2 === 0 ? 4 : 8), summary: `${index}` }))
    const results = await Promise.all(summaries.map((entry) => sessions.append(bob, [entry])))
    const winner = results.findIndex(({ written }) => written === 1)
    expect(results.filter(({ written }) => written > 0)).toHaveLength(1)
    expect(entriesOf(await sessions.read(bob, { after: 8 }))).toEqual([summaries[winner]])
    expect((await sessions.head(bob))?.compaction).toEqual({ seq: 9, through: summaries[winner]?.through })
  })

  scenario('is written while the writer appends, and nothing is lost', async ({ sessions }) => {
    const id = await talked(sessions, ['a', 'b'])
    const { epoch } = await claimed(sessions)
    const appends = numbers(20).flatMap((index) => [
      sessions.append(bob, [message(`${index}`)], { epoch }),
      ...(index === 10 ? [sessions.append(bob, [compaction(id, 4)])] : []),
      sessions.append(bob, [pinned(id, 3)]),
    ])
    const written = (await Promise.all(appends)).map((result) => result.written)
    expect(written).toEqual(written.map(() => 1))
    const logged = await sessions.read(bob, { after: 8 })
    expect(textsOf(logged)).toEqual(numbers(20).map(String))
    const place = logged.find(({ entry }) => entry.type === 'compaction')?.seq
    expect(await sessions.head(bob)).toMatchObject({ length: 49, compaction: { seq: place, through: 4 } })
  })

  scenario('neither wakes a run nor makes a session pending', async ({ sessions }) => {
    const id = await talked(sessions, ['a', 'b'])
    await sessions.append(bob, [compaction(id, 4), pinned(id, 3)])
    expect(await pending(sessions)).toEqual([])
    await sessions.append(bob, [input('c')])
    const { epoch, release } = await claimed(sessions)
    await sessions.append(bob, [started('c'), { ...message('c'), input: 'c' }, suspended(13)], { epoch })
    await release()
    const { openRun } = (await sessions.head(bob)) ?? {}
    expect(openRun).toMatchObject({ suspended: true })
    await sessions.append(bob, [compaction(id, 8, 4), pinned(id, 7)])
    expect(await pending(sessions)).toEqual([])
    expect((await sessions.head(bob))?.openRun).toEqual(openRun)
  })

  scenario('is gone with its session', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    await sessions.append(bob, [compaction(id, 4)])
    await sessions.delete(bob)
    expect(await sessions.append(bob, [compaction(id, 8, 4)])).toMatchObject({ seqs: [0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    const anew = await talked(sessions, ['a'])
    expect(await sessions.head(bob)).not.toHaveProperty('compaction')
    expect((await sessions.append(bob, [compaction(anew, 4)])).seqs).toEqual([5])
  })
}
