import { type Claim, type Counter, type Counters, type ListCountersOptions, Namespace } from '@orra/core'
import { expect } from 'vitest'
import { bob } from './entries.ts'
import { borderKeys, hostileNames, longestNamespaces, unlike } from './hostile.ts'
import { numbers, pagesOf } from './pages.ts'
import type { Scenario } from './scenario.ts'

const held = { ttlMs: 1000 }

const keysOf = (counters: readonly Counter[]) =>
  counters.map(({ namespace, counter, window }) => `${namespace} ${counter} ${window}`)

/** Two counters of two windows in each of the namespaces whose borders look alike; in order. */
async function fill(counters: Counters): Promise<readonly string[]> {
  const claims = borderKeys.flatMap((key) =>
    ['usd', 'usd/x'].flatMap((counter) =>
      ['1', '2'].map((window): Claim => ({ namespace: Namespace.parse(key), counter, window, amount: 1 })),
    ),
  )
  for (const claim of claims.toReversed()) await counters.reserve([claim], held)
  return claims.map(({ namespace, counter, window }) => `${namespace.key} ${counter} ${window}`)
}

/** Many amounts beside each other. */
export function counterListScenarios(scenario: Scenario): void {
  scenario('are listed by every scope, in pages that neither repeat nor skip', async ({ counters }) => {
    const keys = await fill(counters)
    const a = Namespace.of('a')
    const scopes: readonly [ListCountersOptions, (namespace: string) => boolean][] = [
      [{}, () => true],
      [{ namespace: a }, (namespace) => namespace === 'a'],
      [{ within: a }, (namespace) => namespace === 'a' || namespace.startsWith('a:')],
      [{ namespace: Namespace.parse('a:b'), within: a }, (namespace) => namespace === 'a:b'],
      [{ namespace: Namespace.parse('ab'), within: a }, () => false],
    ]
    for (const [scope, isIn] of scopes) {
      const wanted = keys.filter((key) => isIn(key.split(' ')[0] as string))
      const pages = await pagesOf((after) => counters.list({ ...scope, limit: 3, ...after }))
      expect(keysOf(pages.flat())).toEqual(wanted)
      expect(pages).toHaveLength(Math.max(1, Math.ceil(wanted.length / 3)))
    }
  })

  scenario('are a hundred to a page unless another number is asked for', async ({ counters }) => {
    const claims = numbers(101).map((index): Claim => ({ namespace: bob, counter: `${index}`, window: 'w', amount: 1 }))
    expect(await counters.reserve(claims, held)).toMatchObject({ granted: true })
    const pages = await pagesOf((after) => counters.list(after))
    expect(pages.map((page) => page.length)).toEqual([100, 1])
    expect(new Set(pages.flat().map(({ counter }) => counter)).size).toBe(101)
  })

  scenario('are not confused when their names look alike', async ({ counters }) => {
    const names = [...hostileNames, 'x'.repeat(256), unlike(256)]
    const claims: readonly Claim[] = [
      ...names.map((counter) => ({ namespace: bob, counter, window: 'all', amount: 1 })),
      ...hostileNames.map((window) => ({ namespace: bob, counter: 'usd', window, amount: 1 })),
      ...longestNamespaces.map((namespace) => ({ namespace, counter: unlike(256), window: unlike(64), amount: 1 })),
    ].map((claim, index) => ({ ...claim, amount: index + 1 }))
    for (const claim of claims) await counters.reserve([claim], held)
    const { items } = await counters.list({ limit: 1000 })
    expect(items).toHaveLength(claims.length)
    for (const { namespace, counter, window, amount } of claims) {
      const one = { namespace: namespace.key, counter, window, used: 0, reserved: amount }
      expect(items).toContainEqual(one)
    }
    const pages = await pagesOf((after) => counters.list({ limit: 1, ...after }))
    expect(pages.flat()).toEqual(items)
  })

  scenario('are erased up to the borders of segments', async ({ sessions, records, counters }) => {
    const keys = await fill(counters)
    const namespace = Namespace.parse('a:b')
    await sessions.append(namespace, [{ type: 'metadata', set: { title: 'Kept' } }])
    await records.put({ collection: 'memory', namespace, id: 'one' }, 'kept')
    expect(await counters.erase(namespace)).toBe(8)
    const kept = keys.filter((key) => !key.startsWith('a:b ') && !key.startsWith('a:b:'))
    expect(keysOf((await counters.list()).items)).toEqual(kept)
    expect(await counters.erase(namespace)).toBe(0)
    expect(await sessions.head(namespace)).toBeDefined()
    expect((await records.list()).items).toHaveLength(1)
  })

  scenario('are erased with what is reserved on them, and with nothing of what is above', async ({ counters }) => {
    const above = { namespace: Namespace.of('tenant'), counter: 'usd', window: 'all' }
    const below = { ...above, namespace: Namespace.of('tenant', 'user') }
    const limited = { amount: 5, limit: 5 }
    const first = await counters.reserve(
      [
        { ...below, ...limited },
        { ...above, ...limited },
      ],
      held,
    )
    expect(await counters.erase(below.namespace)).toBe(1)
    expect((await counters.list()).items).toEqual([{ ...above, namespace: 'tenant', used: 0, reserved: 5 }])
    const second = await counters.reserve([{ ...below, ...limited }], held)
    expect(second).toMatchObject({ granted: true })
    expect(first.granted && (await counters.settle(first.id, [3, 4]))).toBe(true)
    expect((await counters.list()).items).toEqual([
      { ...above, namespace: 'tenant', used: 4, reserved: 0 },
      { ...below, namespace: 'tenant:user', used: 0, reserved: 5 },
    ])
  })
}
