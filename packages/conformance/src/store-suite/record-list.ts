import { type ListRecordsOptions, Namespace, type RecordKey, type Records, type StoredRecord } from '@orra/core'
import { expect } from 'vitest'
import { bob } from './entries.ts'
import { borderKeys, hostileNames } from './hostile.ts'
import { numbers, pagesOf } from './pages.ts'
import type { Scenario } from './scenario.ts'

const keysOf = (records: readonly StoredRecord[]) =>
  records.map(({ namespace, collection, id }) => `${namespace} ${collection} ${id}`)

/** Two collections of two records in each of the namespaces whose borders look alike; in order. */
async function fill(records: Records): Promise<readonly string[]> {
  const keys = borderKeys.flatMap((namespace) =>
    ['memory', 'memory.old'].flatMap((collection) => ['1', '2'].map((id) => ({ namespace, collection, id }))),
  )
  for (const { namespace, ...key } of keys.toReversed()) {
    await records.put({ ...key, namespace: Namespace.parse(namespace) }, key.id)
  }
  return keys.map(({ namespace, collection, id }) => `${namespace} ${collection} ${id}`)
}

/** Many documents beside each other. */
export function recordListScenarios(scenario: Scenario): void {
  scenario('are listed by namespace, collection and id', async ({ records }) => {
    expect(await records.list()).toEqual({ items: [] })
    const keys = await fill(records)
    expect(keysOf((await records.list()).items)).toEqual(keys)
    const [first] = (await records.list({ limit: 1 })).items
    expect(first).toEqual(await records.get({ collection: 'memory', namespace: Namespace.of('a'), id: '1' }))
  })

  scenario('are listed by every scope, in pages that neither repeat nor skip', async ({ records }) => {
    const keys = await fill(records)
    const a = Namespace.of('a')
    const scopes: readonly [ListRecordsOptions, (namespace: string, collection: string) => boolean][] = [
      [{}, () => true],
      [{ collection: 'memory' }, (_, collection) => collection === 'memory'],
      [{ collection: 'none' }, () => false],
      [{ namespace: a }, (namespace) => namespace === 'a'],
      [{ within: a }, (namespace) => namespace === 'a' || namespace.startsWith('a:')],
      [{ namespace: a, collection: 'memory' }, (namespace, collection) => namespace === 'a' && collection === 'memory'],
      [
        { within: Namespace.parse('a:b'), collection: 'memory.old' },
        (namespace, collection) => ['a:b', 'a:b:c'].includes(namespace) && collection === 'memory.old',
      ],
      [{ namespace: Namespace.parse('a:b'), within: a }, (namespace) => namespace === 'a:b'],
      [{ namespace: Namespace.parse('ab'), within: a }, () => false],
    ]
    for (const [scope, isIn] of scopes) {
      const wanted = keys.filter((key) => isIn(...(key.split(' ') as [string, string])))
      const pages = await pagesOf((after) => records.list({ ...scope, limit: 3, ...after }))
      expect(keysOf(pages.flat())).toEqual(wanted)
      expect(pages).toHaveLength(Math.max(1, Math.ceil(wanted.length / 3)))
    }
  })

  scenario('are a hundred to a page unless another number is asked for', async ({ records }) => {
    const keys = numbers(101).map((index): RecordKey => ({ collection: 'memory', namespace: bob, id: `${index}` }))
    await Promise.all(keys.map((key) => records.put(key, 1)))
    const pages = await pagesOf((after) => records.list(after))
    expect(pages.map((page) => page.length)).toEqual([100, 1])
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(101)
  })

  scenario('are listed in one order whatever their names, a page at a time', async ({ records }) => {
    for (const id of hostileNames) await records.put({ collection: 'memory', namespace: bob, id }, id)
    const all = (await records.list()).items.map(({ id }) => id)
    expect(new Set(all)).toEqual(new Set(hostileNames))
    const pages = await pagesOf((after) => records.list({ limit: 1, ...after }))
    expect(pages.flat().map(({ id }) => id)).toEqual(all)
  })

  scenario('are listed on when the record at the end of a page is deleted', async ({ records }) => {
    const keys = await fill(records)
    const { items, next = '' } = await records.list({ limit: 5 })
    const last = items.at(-1) as StoredRecord
    await records.delete({ ...last, namespace: Namespace.parse(last.namespace) })
    expect(keysOf((await records.list({ after: next })).items)).toEqual(keys.slice(5))
  })

  scenario('are erased up to the borders of segments', async ({ sessions, counters, records }) => {
    const keys = await fill(records)
    const namespace = Namespace.parse('a:b')
    await sessions.append(namespace, [{ type: 'metadata', set: { title: 'Kept' } }])
    await counters.reserve([{ namespace, counter: 'usd', window: 'all', amount: 1 }], { ttlMs: 1000 })
    expect(await records.erase(namespace)).toBe(8)
    const kept = keys.filter((key) => !key.startsWith('a:b ') && !key.startsWith('a:b:'))
    expect(keysOf((await records.list()).items)).toEqual(kept)
    expect(await records.get({ collection: 'memory', namespace, id: '1' })).toBeUndefined()
    expect(await records.erase(namespace)).toBe(0)
    expect(await sessions.head(namespace)).toBeDefined()
    expect((await counters.list()).items).toHaveLength(1)
  })
}
