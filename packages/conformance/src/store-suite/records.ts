import type { JsonValue, RecordKey } from '@orra/core'
import { expect } from 'vitest'
import { alice, bob, code } from './entries.ts'
import { hostileNames, hostileTexts, longestNamespaces, unlike } from './hostile.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

const key: RecordKey = { collection: 'memory', namespace: bob, id: 'one' }
const conflict = code('store.conflict')

/** One document, its versions and those who change it at once. */
export function recordScenarios(scenario: Scenario): void {
  scenario('keeps a value as JSON does, and none that JSON cannot hold', async ({ records }) => {
    const half = await records.put(key, { cut: 'a\ud83d', none: undefined, big: Number.NaN })
    expect(half.value).toEqual({ cut: 'a\ufffd', big: null })
    expect(await records.get(key)).toEqual(half)
    for (const value of [undefined, 1n, () => 1]) {
      await expect(records.put(key, value as never)).rejects.toSatisfy(code('store.invalid'))
    }
    expect(await records.get(key)).toEqual(half)
  })

  scenario('is found as it was put, until it is deleted', async ({ records, advance }) => {
    expect(await records.get(key)).toBeUndefined()
    const value = { text: 'a', list: [1, [], {}], none: null, yes: true }
    const first = await records.put(key, value)
    expect(first).toMatchObject({ collection: 'memory', namespace: bob.key, id: 'one', value })
    expect(first.updatedAt).toBe(first.createdAt)
    expect(await records.get(key)).toEqual(first)
    advance(5000)
    const second = await records.put(key, ['b'])
    expect(second).toEqual({ ...first, version: second.version, value: ['b'], updatedAt: first.createdAt + 5000 })
    expect(await records.get(key)).toEqual(second)
    expect(await records.delete(key)).toBe(true)
    expect(await records.get(key)).toBeUndefined()
    expect(await records.delete(key)).toBe(false)
    advance(5000)
    expect(await records.put(key, 'c')).toMatchObject({ value: 'c', createdAt: first.createdAt + 10_000 })
  })

  scenario('takes any JSON for its value', async ({ records }) => {
    const values: JsonValue[] = [null, false, 0, '', [], {}, -1.5e300, 5e-324, 2 ** 53 - 1, [[[]]], ...hostileTexts]
    for (const value of values) {
      await records.put(key, value)
      expect((await records.get(key))?.value).toEqual(value)
    }
    const big = { text: 'x'.repeat(4 * 1024 * 1024) }
    await records.put(key, big)
    expect((await records.get(key))?.value).toEqual(big)
  })

  scenario('is a copy', async ({ records }) => {
    const value = { inner: { text: 'before' } }
    await records.put(key, value)
    value.inner.text = 'after'
    const read = await records.get(key)
    try {
      Object.assign(read?.value as object, { inner: 'changed' })
    } catch {
      // Frozen: as good as a copy.
    }
    expect((await records.get(key))?.value).toEqual({ inner: { text: 'before' } })
  })

  scenario('gets a higher version with every put, which no other ever has', async ({ records }) => {
    const versions: number[] = []
    const other = { ...key, namespace: alice }
    for (const _ of numbers(3)) {
      versions.push((await records.put(key, 1)).version, (await records.put(other, 1)).version)
      versions.push((await records.put(key, 1)).version)
      await records.delete(key)
      await records.erase(alice)
    }
    expect(versions.every((version) => Number.isSafeInteger(version) && version > 0)).toBe(true)
    expect(new Set(versions).size).toBe(versions.length)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })

  scenario('is written only at the version that is asked for', async ({ records }) => {
    await expect(records.put(key, 1, { version: 7 })).rejects.toSatisfy(conflict)
    expect(await records.get(key)).toBeUndefined()
    const first = await records.put(key, 1, { version: 0 })
    await expect(records.put(key, 2, { version: 0 })).rejects.toSatisfy(conflict)
    await expect(records.put(key, 2, { version: first.version + 1 })).rejects.toSatisfy(conflict)
    const second = await records.put(key, 2, { version: first.version })
    await expect(records.put(key, 3, { version: first.version })).rejects.toSatisfy(conflict)
    expect(await records.get(key)).toEqual(second)
  })

  scenario('is deleted only at the version that is asked for', async ({ records }) => {
    await expect(records.delete(key, { version: 7 })).rejects.toSatisfy(conflict)
    expect(await records.delete(key, { version: 0 })).toBe(false)
    const first = await records.put(key, 1)
    await expect(records.delete(key, { version: 0 })).rejects.toSatisfy(conflict)
    const second = await records.put(key, 2)
    await expect(records.delete(key, { version: first.version })).rejects.toSatisfy(conflict)
    expect(await records.get(key)).toEqual(second)
    expect(await records.delete(key, { version: second.version })).toBe(true)
    await expect(records.put(key, 3, { version: second.version })).rejects.toSatisfy(conflict)
    expect(await records.put(key, 3, { version: 0 })).toMatchObject({ value: 3 })
  })

  scenario('is written by one of many who saw the same version', async ({ records }) => {
    for (const round of numbers(3)) {
      const version = (await records.get(key))?.version ?? 0
      const racing = await Promise.allSettled(numbers(20).map((index) => records.put(key, [round, index], { version })))
      const winner = racing.findIndex(({ status }) => status === 'fulfilled')
      expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const one of racing) if (one.status === 'rejected') expect(one.reason).toSatisfy(conflict)
      expect((await records.get(key))?.value).toEqual([round, winner])
    }
  })

  scenario('is either changed or deleted by two who saw the same version', async ({ records }) => {
    const { version } = await records.put(key, 1)
    const [put, gone] = await Promise.allSettled([
      records.put(key, 2, { version }),
      records.delete(key, { version }),
    ] as const)
    expect([put.status, gone.status].toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await records.get(key))?.value).toBe(put.status === 'fulfilled' ? 2 : undefined)
  })

  scenario('is written by all of many who ask for no version, the highest one last', async ({ records }) => {
    const puts = await Promise.all(numbers(30).map((index) => records.put(key, index)))
    const versions = puts.map(({ version }) => version)
    expect(new Set(versions).size).toBe(30)
    const last = puts.find(({ version }) => version === Math.max(...versions))
    expect(await records.get(key)).toMatchObject({ version: last?.version, value: last?.value })
  })

  scenario('is not confused with one whose names look alike', async ({ records }) => {
    const keys = [
      ...[...hostileNames, 'x'.repeat(256), unlike(256)].map((id) => ({ ...key, id })),
      ...longestNamespaces.map((namespace) => ({ collection: 'c'.repeat(64), namespace, id: unlike(256) })),
      ...['A', 'a', '.', '..', '-', '_', 'con'].map((collection) => ({ ...key, collection })),
    ]
    for (const [index, each] of keys.entries()) await records.put(each, index, { version: 0 })
    for (const [index, each] of keys.entries()) {
      expect(await records.get(each)).toMatchObject({ id: each.id, collection: each.collection, value: index })
    }
    expect((await records.list({ limit: 1000 })).items).toHaveLength(keys.length)
    for (const each of keys) expect(await records.delete(each)).toBe(true)
    expect((await records.list()).items).toEqual([])
  })

  scenario('has a name that the contract takes', async ({ records }) => {
    const collections = ['', 'a b', 'a/b', 'é', 'c'.repeat(65)].map((collection) => ({ ...key, collection }))
    const ids = ['', 'a\0b', '\ud800', 'x'.repeat(257)].map((id) => ({ ...key, id }))
    for (const wrong of [...collections, ...ids]) {
      const calls = [() => records.get(wrong), () => records.put(wrong, 1), () => records.delete(wrong)]
      for (const call of calls) await expect(call()).rejects.toSatisfy(code('store.invalid'))
    }
    expect((await records.list()).items).toEqual([])
  })
}
