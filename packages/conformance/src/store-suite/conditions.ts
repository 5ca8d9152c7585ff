import { expect } from 'vitest'
import { bob, claimed, code, ended, input, message, started, textsOf } from './entries.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

const idle = { ifIdle: true }

/** What a caller may ask of a session as it appends. */
export function conditionScenarios(scenario: Scenario): void {
  scenario('ifIdle is met by a session without work', async ({ sessions }) => {
    expect((await sessions.append(bob, [input('a')], idle)).seqs).toEqual([1])
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    expect((await sessions.append(bob, [input('b')], idle)).seqs).toEqual([3])
  })

  scenario('ifIdle is not met while an input waits or a run is open', async ({ sessions }) => {
    await sessions.append(bob, [input('a')])
    await expect(sessions.append(bob, [input('b')], idle)).rejects.toSatisfy(code('session.busy'))
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
    await expect(sessions.append(bob, [input('b')], idle)).rejects.toSatisfy(code('session.busy'))
    await sessions.append(bob, [ended()], { epoch })
    expect((await sessions.append(bob, [input('b')], idle)).seqs).toEqual([5])
    expect(textsOf(await sessions.read(bob))).toEqual(['a', 'a', 'b'])
  })

  scenario('ifIdle is not asked of an input that is known', async ({ sessions }) => {
    await sessions.append(bob, [input('a', 'k'), input('b')])
    expect((await sessions.append(bob, [input('a', 'k')], idle)).seqs).toEqual([1])
    const some = sessions.append(bob, [input('a', 'k'), input('new')], idle)
    await expect(some).rejects.toSatisfy(code('session.busy'))
    expect(await sessions.read(bob)).toHaveLength(2)
  })

  scenario('ifIdle lets in one of many at once', async ({ sessions }) => {
    const racing = await Promise.allSettled(numbers(20).map((index) => sessions.append(bob, [input(`${index}`)], idle)))
    expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of racing) if (one.status === 'rejected') expect(one.reason).toSatisfy(code('session.busy'))
    expect(await sessions.read(bob)).toHaveLength(1)
  })

  scenario('expect compares metadata with what it is now', async ({ sessions }) => {
    await sessions.append(bob, [{ type: 'metadata', set: { mode: { a: [1, { b: null }] }, title: 'T' } }])
    const set = { type: 'metadata', set: { done: true } } as const
    const wrong = [{ title: 'U' }, { title: null }, { mode: { a: [1] } }, { title: 'T', other: 1 }]
    for (const expected of wrong) {
      const refused = sessions.append(bob, [set], { expect: expected })
      await expect(refused).rejects.toSatisfy(code('store.conflict'))
    }
    expect(await sessions.read(bob)).toHaveLength(1)
    const right = { mode: { a: [1, { b: null }] }, title: 'T', other: null }
    expect((await sessions.append(bob, [set], { expect: right })).seqs).toEqual([2])
  })

  scenario('expect of a session that is not there knows only null', async ({ sessions }) => {
    const refused = sessions.append(bob, [input('a')], { expect: { title: 'T' } })
    await expect(refused).rejects.toSatisfy(code('store.conflict'))
    expect(await sessions.head(bob)).toBeUndefined()
    expect((await sessions.append(bob, [input('a')], { expect: { title: null } })).seqs).toEqual([1])
  })

  scenario('expect lets in one of many at once', async ({ sessions }) => {
    const racing = numbers(20).map((index) =>
      sessions.append(bob, [{ type: 'metadata', set: { winner: index } }], { expect: { winner: null } }),
    )
    const results = await Promise.allSettled(racing)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of results) if (one.status === 'rejected') expect(one.reason).toSatisfy(code('store.conflict'))
    expect(await sessions.head(bob)).toMatchObject({ length: 1, metadata: { winner } })
  })
}
