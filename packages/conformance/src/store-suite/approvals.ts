import type { SessionLog } from '@orra/core'
import { expect } from 'vitest'
import {
  bob,
  claimed,
  decided,
  ended,
  entriesOf,
  fenced,
  input,
  message,
  requested,
  result,
  started,
} from './entries.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

interface Waiting {
  readonly epoch: number
  /** Where each was asked for. */
  readonly asked: ReadonlyMap<string, number>
  readonly release: () => Promise<void>
}

/** A run whose calls wait for a decision. */
export async function waitingFor(
  sessions: SessionLog,
  callIds: readonly string[],
  expiresAt?: number,
): Promise<Waiting> {
  await sessions.append(bob, [input('a')])
  const { epoch, release } = await claimed(sessions)
  const requests = callIds.map((callId) => requested(callId, expiresAt))
  const begun = [started('a'), { ...message('a'), input: 'a' }]
  const { seqs } = await sessions.append(bob, [...begun, ...requests], { epoch })
  return { epoch, release, asked: new Map(callIds.map((callId, index) => [callId, seqs[index + 2] ?? 0])) }
}

/** What was asked is decided once, by anyone. */
export function approvalScenarios(scenario: Scenario): void {
  scenario('is asked for by whoever has the lease, and shown by the head', async ({ sessions }) => {
    const { epoch } = await waitingFor(sessions, ['x'], 1e15)
    await expect(sessions.append(bob, [requested('y')])).rejects.toSatisfy(fenced)
    await sessions.append(bob, [requested('y', 2e15)], { epoch })
    expect((await sessions.head(bob))?.openRun?.approvals).toEqual([
      { callId: 'x', seq: 4, expiresAt: 1e15 },
      { callId: 'y', seq: 5, expiresAt: 2e15 },
    ])
  })

  scenario('needs no lease to be decided, and is decided once', async ({ sessions }) => {
    await waitingFor(sessions, ['x', 'y'])
    const { seqs, written, head } = await sessions.append(bob, [decided('x', 4)])
    expect({ seqs, written }).toEqual({ seqs: [6], written: 1 })
    expect(head.openRun).toMatchObject({ approvals: [{ callId: 'y', seq: 5 }], wokenAt: 6 })
    for (const again of [decided('x', 4), decided('x', 4, false)]) {
      expect(await sessions.append(bob, [again])).toMatchObject({ seqs: [0], written: 0 })
    }
    expect(await sessions.append(bob, [decided('y', 5), decided('y', 5, false)])).toMatchObject({ seqs: [7, 0] })
    expect((await sessions.head(bob))?.openRun).not.toHaveProperty('approvals')
    expect(entriesOf(await sessions.read(bob, { after: 5 }))).toEqual([decided('x', 4), decided('y', 5)])
  })

  scenario('is decided for the request that was seen', async ({ sessions }) => {
    expect(await sessions.append(bob, [decided('x', 4)])).toMatchObject({ seqs: [0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    const { epoch } = await waitingFor(sessions, ['x'])
    await sessions.append(bob, [requested('x')], { epoch })
    for (const other of [decided('x', 4), decided('y', 5), decided('', 0)]) {
      expect(await sessions.append(bob, [other])).toMatchObject({ seqs: [0], written: 0 })
    }
    expect(await sessions.append(bob, [decided('x', 4), input('b')])).toMatchObject({ seqs: [0, 6], written: 1 })
    expect(await sessions.append(bob, [decided('x', 5)])).toMatchObject({ seqs: [7], written: 1 })
  })

  scenario('waits no longer than for the result of its call, or the end of its run', async ({ sessions }) => {
    const { epoch } = await waitingFor(sessions, ['x', 'y'])
    await sessions.append(bob, [result('x')], { epoch })
    expect(await sessions.append(bob, [decided('x', 4)])).toMatchObject({ written: 0 })
    expect((await sessions.head(bob))?.openRun?.approvals).toMatchObject([{ callId: 'y' }])
    await sessions.append(bob, [ended()], { epoch })
    expect(await sessions.append(bob, [decided('y', 5)])).toMatchObject({ written: 0 })
    expect(await sessions.head(bob)).not.toHaveProperty('openRun')
  })

  scenario('is not given after its time, only refused', async ({ sessions, advance }) => {
    const { head } = await sessions.append(bob, [input('first'), { type: 'input-withdrawn', input: 'first' }])
    const expiresAt = head.updatedAt + 120_000
    const { asked } = await waitingFor(sessions, ['x', 'y'], expiresAt)
    const [x = 0, y = 0] = asked.values()
    advance(60_000)
    expect(await sessions.append(bob, [decided('x', x)])).toMatchObject({ written: 1 })
    advance(60_000)
    expect(await sessions.append(bob, [decided('y', y)])).toMatchObject({ seqs: [0], written: 0 })
    expect((await sessions.head(bob))?.openRun?.approvals).toEqual([{ callId: 'y', seq: y, expiresAt }])
    expect(await sessions.append(bob, [decided('y', y, false)])).toMatchObject({ written: 1 })
  })

  scenario('is decided by one of many at once', async ({ sessions }) => {
    await waitingFor(sessions, ['x'])
    const results = await Promise.all(
      numbers(20).map((index) => sessions.append(bob, [decided('x', 4, index % 2 === 0)])),
    )
    const winner = results.findIndex(({ written }) => written === 1)
    expect(results.filter(({ written }) => written > 0)).toHaveLength(1)
    expect(entriesOf(await sessions.read(bob, { after: 4 }))).toEqual([decided('x', 4, winner % 2 === 0)])
  })

  scenario('is decided while the writer appends, and neither is lost', async ({ sessions }) => {
    const ids = numbers(10).map((index) => `call-${index}`)
    const { epoch, asked } = await waitingFor(sessions, ids)
    const appends = ids.flatMap((id) => [
      sessions.append(bob, [decided(id, asked.get(id) ?? 0)]),
      sessions.append(bob, [{ type: 'tool-started', callId: id }], { epoch }),
    ])
    const results = await Promise.all(appends)
    expect(results.map(({ written }) => written)).toEqual(results.map(() => 1))
    expect(await sessions.read(bob)).toHaveLength(3 + 30)
    expect((await sessions.head(bob))?.openRun).not.toHaveProperty('approvals')
  })
}
