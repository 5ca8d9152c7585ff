import type { SessionLog } from '@orra/core'
import { expect } from 'vitest'
import { waitingFor } from './approvals.ts'
import { bob, code, decided, ended, fenced, input, message, suspended, woken } from './entries.ts'
import type { Scenario } from './scenario.ts'

async function pending(sessions: SessionLog): Promise<readonly string[]> {
  return (await sessions.list({ pending: true })).items.map(({ namespace }) => namespace)
}

/** A run of bob's whose call `x`, asked for at 4, waits; suspended, with its lease given back. */
async function resting(sessions: SessionLog): Promise<{ readonly epoch: number }> {
  const { epoch, release } = await waitingFor(sessions, ['x'])
  expect(await sessions.append(bob, [suspended(4)], { epoch })).toMatchObject({ seqs: [5], written: 1 })
  await release()
  return { epoch }
}

/** A run that can do nothing is nobody's work, until something comes that it waits for. */
export function suspensionScenarios(scenario: Scenario): void {
  scenario('is suspended by whoever has the lease', async ({ sessions }) => {
    const { epoch } = await waitingFor(sessions, ['x'])
    await expect(sessions.append(bob, [suspended(4)])).rejects.toSatisfy(fenced)
    expect((await sessions.head(bob))?.openRun).not.toHaveProperty('suspended')
    await sessions.append(bob, [suspended(4)], { epoch })
    expect((await sessions.head(bob))?.openRun).toMatchObject({ suspended: true, approvals: [{ callId: 'x' }] })
  })

  scenario('is not suspended when something woke it after what was seen', async ({ sessions }) => {
    const { epoch } = await waitingFor(sessions, ['x', 'y'])
    await sessions.append(bob, [decided('x', 4)])
    expect(await sessions.append(bob, [suspended(5)], { epoch })).toMatchObject({ seqs: [0], written: 0 })
    expect(await sessions.append(bob, [suspended(6)], { epoch })).toMatchObject({ seqs: [7], written: 1 })
    await sessions.append(bob, [woken()])
    expect(await sessions.append(bob, [suspended(7), message('m')], { epoch })).toMatchObject({ seqs: [0, 9] })
    expect((await sessions.head(bob))?.openRun).not.toHaveProperty('suspended')
    const other = { ...suspended(100), runId: 'run-2' }
    expect(await sessions.append(bob, [other], { epoch })).toMatchObject({ seqs: [0], written: 0 })
  })

  scenario('is not pending until somebody decides', async ({ sessions }) => {
    const { epoch } = await resting(sessions)
    expect(await pending(sessions)).toEqual([])
    expect((await sessions.list()).items).toEqual([await sessions.head(bob)])
    await sessions.append(bob, [decided('x', 4, false)])
    expect(await pending(sessions)).toEqual([bob.key])
    await sessions.append(bob, [suspended(6)], { epoch })
    expect(await pending(sessions)).toEqual([])
  })

  scenario('is not pending until its sub-agent has its answer', async ({ sessions }) => {
    const { epoch } = await resting(sessions)
    expect(await sessions.append(bob, [woken('run-2')])).toMatchObject({ seqs: [0], written: 0 })
    expect(await pending(sessions)).toEqual([])
    expect(await sessions.append(bob, [woken()])).toMatchObject({ seqs: [6], written: 1 })
    expect(await pending(sessions)).toEqual([bob.key])
    await sessions.append(bob, [ended()], { epoch })
    expect(await sessions.append(bob, [woken()])).toMatchObject({ seqs: [0], written: 0 })
    expect(await pending(sessions)).toEqual([])
  })

  scenario('is not pending until it is withdrawn', async ({ sessions }) => {
    await resting(sessions)
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'other' }])
    expect(await pending(sessions)).toEqual([])
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    expect(await pending(sessions)).toEqual([bob.key])
  })

  scenario('keeps what waits behind it waiting, but for what interrupts it', async ({ sessions }) => {
    await resting(sessions)
    await sessions.append(bob, [input('b'), { type: 'metadata', set: { title: 'Still waiting' } }])
    expect(await pending(sessions)).toEqual([])
    await expect(sessions.append(bob, [input('c')], { ifIdle: true })).rejects.toSatisfy(code('session.busy'))
    await sessions.append(bob, [{ ...input('d'), whenBusy: 'interrupt' }])
    expect(await pending(sessions)).toEqual([bob.key])
    expect((await sessions.head(bob))?.openRun).not.toHaveProperty('suspended')
  })

  scenario('is hidden by a lease when it is woken, until that is given back', async ({ sessions }) => {
    await resting(sessions)
    const lease = await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })
    await sessions.append(bob, [decided('x', 4)])
    expect(await pending(sessions)).toEqual([])
    await lease?.release()
    expect(await pending(sessions)).toEqual([bob.key])
  })

  scenario('is gone with its session', async ({ sessions }) => {
    await resting(sessions)
    await sessions.delete(bob)
    expect(await sessions.append(bob, [decided('x', 4), woken()])).toMatchObject({ seqs: [0, 0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    await sessions.append(bob, [input('anew')])
    expect(await pending(sessions)).toEqual([bob.key])
  })
}
