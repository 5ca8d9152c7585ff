import { type ListOptions, Namespace, type SessionLog } from '@orra/core'
import { expect } from 'vitest'
import { alice, bob, claimed, ended, input, message, started } from './entries.ts'
import { numbers, pagesOf } from './pages.ts'
import type { Scenario } from './scenario.ts'

async function pending(sessions: SessionLog, options: ListOptions = {}): Promise<readonly string[]> {
  return (await sessions.list({ ...options, pending: true })).items.map(({ namespace }) => namespace)
}

/** Work that nobody does is found without looking at every session. */
export function pendingScenarios(scenario: Scenario): void {
  scenario('are those in which an input waits', async ({ sessions }) => {
    await sessions.append(alice, [{ type: 'metadata', set: { title: 'Nothing to do' } }])
    expect(await pending(sessions)).toEqual([])
    await sessions.append(bob, [input('a'), input('b')])
    expect((await sessions.list({ pending: true })).items).toEqual([await sessions.head(bob)])
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    expect(await pending(sessions)).toEqual([bob.key])
    await sessions.append(bob, [{ type: 'input-withdrawn', input: 'b' }])
    expect(await pending(sessions)).toEqual([])
  })

  scenario('are hidden by a lease, until it is released', async ({ sessions }) => {
    await sessions.append(bob, [input('a')])
    const lease = await claimed(sessions)
    expect(await pending(sessions)).toEqual([])
    await lease.release()
    expect(await pending(sessions)).toEqual([bob.key])
  })

  scenario('are hidden by a lease, until it runs out', async ({ sessions, advance }) => {
    await sessions.append(bob, [input('a')])
    const lease = await claimed(sessions)
    advance(900)
    await lease.renew()
    advance(900)
    expect(await pending(sessions)).toEqual([])
    advance(101)
    expect(await pending(sessions)).toEqual([bob.key])
  })

  scenario('are those whose run is open, whoever died', async ({ sessions, advance }) => {
    await sessions.append(bob, [input('a')])
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
    advance(1001)
    expect(await pending(sessions)).toEqual([bob.key])
    const next = await claimed(sessions, 'two')
    expect(await pending(sessions)).toEqual([])
    await sessions.append(bob, [ended()], { epoch: next.epoch })
    await next.release()
    expect(await pending(sessions)).toEqual([])
  })

  scenario('are shown after work that came while a lease was held', async ({ sessions }) => {
    const lease = await claimed(sessions)
    await sessions.append(bob, [input('a')])
    expect(await pending(sessions)).toEqual([])
    await lease.release()
    expect(await pending(sessions)).toEqual([bob.key])
  })

  scenario('are listed within a namespace, in pages', async ({ sessions }) => {
    const keys = numbers(25).map((index) => `a:${String(index).padStart(2, '0')}`)
    for (const key of [...keys, 'a', 'ab', 'b:1']) await sessions.append(Namespace.parse(key), [input('m')])
    for (const key of ['a:00x', 'a:1', 'c']) {
      await sessions.append(Namespace.parse(key), [{ type: 'metadata', set: { title: 'Idle' } }])
    }
    const pages = await pagesOf((after) =>
      sessions.list({ within: Namespace.of('a'), pending: true, limit: 10, ...after }),
    )
    expect(pages.map((page) => page.length)).toEqual([10, 10, 6])
    expect(pages.flat().map(({ namespace }) => namespace)).toEqual(['a', ...keys])
    expect(await pending(sessions, { within: Namespace.of('b') })).toEqual(['b:1'])
    expect(await pending(sessions)).toHaveLength(28)
  })

  scenario('are gone when they are deleted', async ({ sessions }) => {
    for (const key of ['a', 'a:b', 'ab']) await sessions.append(Namespace.parse(key), [input('m')])
    await sessions.delete(Namespace.of('a'), { descendants: true })
    expect(await pending(sessions)).toEqual(['ab'])
    await sessions.append(Namespace.of('a'), [{ type: 'metadata', set: { title: 'Anew' } }])
    expect(await pending(sessions)).toEqual(['ab'])
    await sessions.append(Namespace.of('a'), [input('m')])
    expect(await pending(sessions)).toEqual(['a', 'ab'])
  })
}
