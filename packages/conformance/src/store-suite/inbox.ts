import { expect } from 'vitest'
import { alice, bob, claimed, code, ended, entriesOf, input, message, run, started, textsOf } from './entries.ts'
import { hostileTexts, unlike } from './hostile.ts'
import type { Scenario } from './scenario.ts'

/** What is accepted waits until it is taken or withdrawn, once. */
export function inboxScenarios(scenario: Scenario): void {
  scenario('accepts a key once, and names the first place again', async ({ sessions }) => {
    const once = input('a', 'k')
    expect(await sessions.append(bob, [once, once])).toMatchObject({ seqs: [1, 1], written: 1 })
    expect(await sessions.append(bob, [input('b', 'k')])).toMatchObject({ seqs: [1], written: 0 })
    expect(await sessions.append(bob, [input('b', 'k'), input('c')])).toMatchObject({ seqs: [1, 2], written: 1 })
    expect(textsOf(await sessions.read(bob))).toEqual(['a', 'c'])
  })

  scenario('remembers the keys of inputs that were answered or withdrawn', async ({ sessions }) => {
    await sessions.append(bob, [input('a'), input('b'), { type: 'input-withdrawn', input: 'b' }])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }, ended()], { epoch })
    expect((await sessions.append(bob, [input('b'), input('a')])).seqs).toEqual([2, 1])
    expect(await sessions.head(bob)).toMatchObject({ length: 6, inbox: [] })
  })

  scenario('forgets the keys of a session that was deleted', async ({ sessions }) => {
    await sessions.append(bob, [input('a'), input('b', 'k')])
    await sessions.delete(bob)
    expect((await sessions.append(bob, [input('c', 'k')])).seqs).toEqual([1])
    expect(textsOf(await sessions.read(bob))).toEqual(['c'])
  })

  scenario('takes any text for a key, and keeps those that look alike apart', async ({ sessions }) => {
    const keys = [...hostileTexts, 'x'.repeat(1024), `${'x'.repeat(1023)}y`, unlike(1024)]
    const entries = keys.map((key) => input('m', key))
    const seqs = keys.map((_, index) => index + 1)
    expect((await sessions.append(bob, entries)).seqs).toEqual(seqs)
    expect((await sessions.append(bob, entries)).seqs).toEqual(seqs)
    expect(await sessions.head(bob)).toMatchObject({ length: keys.length, inbox: keys })
  })

  scenario('keeps the keys of two sessions apart', async ({ sessions }) => {
    await sessions.append(bob, [input('a', 'k')])
    expect((await sessions.append(alice, [input('b', 'k')])).seqs).toEqual([1])
    expect(textsOf(await sessions.read(alice))).toEqual(['b'])
  })

  scenario('empties as messages take inputs or callers withdraw them', async ({ sessions }) => {
    await sessions.append(bob, [input('a'), input('b'), input('c')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('b'), { ...message('b'), input: 'b' }], { epoch })
    expect(await sessions.head(bob)).toMatchObject({ inbox: ['a', 'c'], openRun: { runId: run, input: 'b', seq: 4 } })
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    await sessions.append(bob, [ended()], { epoch })
    const head = await sessions.head(bob)
    expect(head).toMatchObject({ inbox: ['c'] })
    expect(head).not.toHaveProperty('openRun')
  })

  scenario('lets an input be taken once', async ({ sessions }) => {
    await sessions.append(bob, [input('a'), input('b')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [{ ...message('a'), input: 'a' }], { epoch })
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'b' }])
    for (const gone of ['a', 'b', 'never']) {
      const again = sessions.append(bob, [{ ...message('again'), input: gone }], { epoch })
      await expect(again).rejects.toSatisfy(code('store.input-gone'))
    }
    expect(await sessions.read(bob)).toHaveLength(4)
  })

  scenario('withdraws what is before an input that interrupts, in the same append', async ({ sessions }) => {
    await sessions.append(bob, [input('a'), input('b')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
    const last = { ...input('c'), whenBusy: 'interrupt' } as const
    expect(await sessions.append(bob, [last])).toMatchObject({ seqs: [7], written: 3, head: { inbox: ['c'] } })
    expect(entriesOf(await sessions.read(bob, { after: 4 }))).toEqual([
      { type: 'input-withdrawn', input: 'a' },
      { type: 'input-withdrawn', input: 'b' },
      last,
    ])
    expect(await sessions.append(bob, [last])).toMatchObject({ seqs: [7], written: 0 })
  })

  scenario('writes a withdrawal only where there is something to withdraw', async ({ sessions }) => {
    const withdrawal = { type: 'input-withdrawn', input: 'a' } as const
    expect(await sessions.append(bob, [withdrawal])).toMatchObject({ seqs: [0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    await sessions.append(bob, [input('a')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
    expect((await sessions.append(bob, [withdrawal])).seqs).toEqual([4])
    await sessions.append(bob, [ended()], { epoch })
    expect(await sessions.append(bob, [withdrawal, input('b')])).toMatchObject({ seqs: [0, 6], written: 1 })
  })
}
