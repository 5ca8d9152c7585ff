import { Namespace } from '@orra/core'
import { expect } from 'vitest'
import { input, textsOf } from './entries.ts'
import { borderKeys, hostileNames, longestNamespaces } from './hostile.ts'
import { numbers, pagesOf } from './pages.ts'
import type { Scenario } from './scenario.ts'

/** Many sessions beside each other. */
export function sessionsScenarios(scenario: Scenario): void {
  scenario('keeps hostile names apart', async ({ sessions }) => {
    for (const name of hostileNames) {
      await sessions.append(Namespace.of(name), [input(name, 'k')])
      await sessions.append(Namespace.of('t', name), [input(`t ${name}`, 'k')])
    }
    for (const name of hostileNames) {
      expect(textsOf(await sessions.read(Namespace.of(name)))).toEqual([name])
      expect(textsOf(await sessions.read(Namespace.of('t', name)))).toEqual([`t ${name}`])
      expect((await sessions.list({ within: Namespace.of('t', name) })).items).toHaveLength(1)
    }
    const keys = (await sessions.list()).items.map(({ namespace }) => namespace)
    const given = hostileNames.flatMap((name) => [Namespace.of(name).key, Namespace.of('t', name).key])
    expect(new Set(keys)).toEqual(new Set(given))
    for (const name of hostileNames) expect(await sessions.delete(Namespace.of(name), { descendants: true })).toBe(1)
    expect((await sessions.list()).items).toHaveLength(hostileNames.length)
  })

  scenario('takes keys of 1,024 characters', async ({ sessions }) => {
    for (const namespace of longestNamespaces) {
      expect((await sessions.append(namespace, [input('a')])).seqs).toEqual([1])
      expect(await sessions.claim(namespace, { owner: 'one', ttlMs: 1000 })).toBeDefined()
      expect(textsOf(await sessions.read(namespace))).toEqual(['a'])
    }
    expect((await sessions.list()).items.map(({ namespace }) => namespace)).toEqual(
      longestNamespaces.map(({ key }) => key),
    )
    for (const namespace of longestNamespaces) expect(await sessions.delete(namespace)).toBe(1)
  })

  scenario('ends at the borders of segments', async ({ sessions }) => {
    for (const key of borderKeys.toReversed()) await sessions.append(Namespace.parse(key), [input(key)])
    const keys = async (within?: string) => {
      const page = await sessions.list(within === undefined ? {} : { within: Namespace.parse(within) })
      return page.items.map(({ namespace }) => namespace)
    }
    expect(await keys('a:b')).toEqual(['a:b', 'a:b:c'])
    expect(await keys('a')).toEqual(['a', 'a:b', 'a:b:c', 'a:bc'])
    expect(await keys()).toEqual(borderKeys)
    expect(await sessions.delete(Namespace.parse('a:b'), { descendants: true })).toBe(2)
    expect(await keys()).toEqual(['a', 'a%3Ab', 'a:bc', 'ab'])
    expect(await sessions.delete(Namespace.parse('a'))).toBe(1)
    expect(await sessions.delete(Namespace.parse('nobody'))).toBe(0)
    expect(await keys()).toEqual(['a%3Ab', 'a:bc', 'ab'])
    expect(await sessions.delete(Namespace.parse('a'), { descendants: true })).toBe(1)
    expect(await keys()).toEqual(['a%3Ab', 'ab'])
  })

  scenario('lists in pages that neither repeat nor skip', async ({ sessions }) => {
    const keys = numbers(25).map((index) => `user:${String(index).padStart(2, '0')}`)
    for (const key of keys) await sessions.append(Namespace.parse(key), [input(key)])
    await sessions.append(Namespace.of('users'), [input('a')])
    const within = Namespace.of('user')
    const pages = await pagesOf((after) => sessions.list({ within, limit: 10, ...after }))
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
    expect(pages.flat().map(({ namespace }) => namespace)).toEqual(keys)
    expect(await pagesOf((after) => sessions.list({ within, limit: 25, ...after }))).toHaveLength(1)
    expect((await pagesOf((after) => sessions.list({ limit: 1, ...after }))).flat()).toHaveLength(26)
  })

  scenario('lists on when the session at the end of a page is deleted', async ({ sessions }) => {
    for (const key of ['a', 'b', 'c', 'd']) await sessions.append(Namespace.of(key), [input(key)])
    const { items, next = '' } = await sessions.list({ limit: 2 })
    await sessions.delete(Namespace.parse(items.at(-1)?.namespace ?? ''))
    expect((await sessions.list({ after: next })).items.map(({ namespace }) => namespace)).toEqual(['c', 'd'])
  })

  scenario('lists a session that was only claimed', async ({ sessions }) => {
    const namespace = Namespace.of('claimed')
    const lease = await sessions.claim(namespace, { owner: 'one', ttlMs: 1000 })
    expect((await sessions.list()).items).toEqual([lease?.head])
    expect(await sessions.delete(namespace)).toBe(1)
  })

  scenario('leaves nothing of a session that is deleted, and everything of records and counters', async (tested) => {
    const { sessions, records, counters } = tested
    const namespace = Namespace.of('a', 'b')
    await sessions.append(namespace, [input('a'), { type: 'metadata', set: { title: 'T' } }])
    await sessions.claim(namespace, { owner: 'one', ttlMs: 1000 })
    await records.put({ collection: 'memory', namespace, id: 'one' }, 'kept')
    await counters.reserve([{ namespace, counter: 'usd', window: 'all', amount: 1 }], { ttlMs: 1000 })
    expect(await sessions.delete(Namespace.of('a'), { descendants: true })).toBe(1)
    expect(await sessions.head(namespace)).toBeUndefined()
    expect(await sessions.read(namespace)).toEqual([])
    expect((await sessions.list()).items).toEqual([])
    expect((await sessions.list({ pending: true })).items).toEqual([])
    expect(await sessions.claim(namespace, { owner: 'two', ttlMs: 1000 })).toMatchObject({
      head: { length: 0, inbox: [], metadata: {} },
    })
    expect((await records.list()).items).toHaveLength(1)
    expect((await counters.list()).items).toMatchObject([{ reserved: 1 }])
  })
}
