import { Namespace } from '@orra/core'
import { expect } from 'vitest'
import { input, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** Many sessions beside each other. */
export function sessionsScenarios(scenario: Scenario): void {
  const hostile = [
    '../../etc/passwd',
    'a%3Ab',
    'a:b',
    'C:\\con',
    '.',
    "'; drop table sessions; --",
    'ünï 😀',
    '%',
    '*',
    'A',
    'a',
    ' ',
  ]

  scenario('keeps hostile names apart', async (sessions) => {
    for (const segment of hostile) await sessions.append(Namespace.of('t', segment), [input(segment)])
    for (const segment of hostile) expect(textsOf(await sessions.read(Namespace.of('t', segment)))).toEqual([segment])
    expect((await sessions.list()).items).toHaveLength(hostile.length)
  })

  scenario('ends at the borders of segments', async (sessions) => {
    for (const key of ['a', 'a:b', 'a:b:c', 'a:bc', 'ab', 'a%3Ab'])
      await sessions.append(Namespace.parse(key), [input(key)])
    const keys = async (within?: string) => {
      const page = await sessions.list(within === undefined ? {} : { within: Namespace.parse(within) })
      return page.items.map(({ namespace }) => namespace)
    }
    expect(await keys('a:b')).toEqual(['a:b', 'a:b:c'])
    expect(await keys('a')).toEqual(['a', 'a:b', 'a:b:c', 'a:bc'])
    expect(await keys()).toEqual(['a', 'a%3Ab', 'a:b', 'a:b:c', 'a:bc', 'ab'])
    expect(await sessions.delete(Namespace.parse('a:b'), { descendants: true })).toBe(2)
    expect(await keys()).toEqual(['a', 'a%3Ab', 'a:bc', 'ab'])
    expect(await sessions.delete(Namespace.parse('a'))).toBe(1)
    expect(await sessions.delete(Namespace.parse('nobody'))).toBe(0)
    expect(await keys()).toEqual(['a%3Ab', 'a:bc', 'ab'])
  })

  scenario('lists in pages that neither repeat nor skip', async (sessions) => {
    const keys = Array.from({ length: 25 }, (_, index) => `user:${String(index).padStart(2, '0')}`)
    for (const key of keys) await sessions.append(Namespace.parse(key), [input(key)])
    const seen: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await sessions.list({ limit: 10, ...(after === undefined ? {} : { after }) })
      seen.push(...page.items.map(({ namespace }) => namespace))
      if (page.next === undefined) break
      after = page.next
    }
    expect(seen).toEqual(keys)
  })
}
