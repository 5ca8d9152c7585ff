import { isOrraError } from '@orra/core'
import { expect } from 'vitest'
import { alice, bob, claimed, ended, input, message, run, started, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** What is accepted waits until it is taken or withdrawn, once. */
export function inboxScenarios(scenario: Scenario): void {
  scenario('accepts a key once, and names the first place again', async (sessions) => {
    const once = input('a', 'k')
    expect((await sessions.append(bob, [once, once])).seqs).toEqual([1, 1])
    expect((await sessions.append(bob, [input('b', 'k'), input('c')])).seqs).toEqual([1, 2])
    expect(textsOf(await sessions.read(bob))).toEqual(['a', 'c'])
  })

  scenario('keeps the keys of two sessions apart', async (sessions) => {
    await sessions.append(bob, [input('a', 'k')])
    expect((await sessions.append(alice, [input('b', 'k')])).seqs).toEqual([1])
    expect(textsOf(await sessions.read(alice))).toEqual(['b'])
  })

  scenario('empties as messages take inputs or callers withdraw them', async (sessions) => {
    await sessions.append(bob, [input('a'), input('b'), input('c')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('b'), { ...message('b'), input: 'b' }], { epoch })
    expect(await sessions.head(bob)).toMatchObject({ inbox: ['a', 'c'], openRun: { runId: run, input: 'b' } })
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    await sessions.append(bob, [ended()], { epoch })
    const head = await sessions.head(bob)
    expect(head).toMatchObject({ inbox: ['c'] })
    expect(head).not.toHaveProperty('openRun')
  })

  scenario('lets an input be taken once', async (sessions) => {
    await sessions.append(bob, [input('a'), input('b')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [{ ...message('a'), input: 'a' }], { epoch })
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'b' }])
    for (const gone of ['a', 'b', 'never']) {
      const again = sessions.append(bob, [{ ...message('again'), input: gone }], { epoch })
      await expect(again).rejects.toSatisfy((error) => isOrraError(error, 'store.input-gone'))
    }
    expect(await sessions.read(bob)).toHaveLength(4)
  })

  scenario('writes a withdrawal only where there is something to withdraw', async (sessions) => {
    const withdrawal = { type: 'input-withdrawn', input: 'a' } as const
    expect((await sessions.append(bob, [withdrawal])).seqs).toEqual([0])
    expect(await sessions.head(bob)).toBeUndefined()
    await sessions.append(bob, [input('a')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
    expect((await sessions.append(bob, [withdrawal])).seqs).toEqual([4])
    await sessions.append(bob, [ended()], { epoch })
    expect((await sessions.append(bob, [withdrawal, input('b')])).seqs).toEqual([0, 6])
  })
}
