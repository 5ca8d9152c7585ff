import { canSearch } from '@orra/core'
import { expect } from 'vitest'
import { bob, input, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

const key = { collection: 'memory', namespace: bob, id: 'one' }
const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1 }

/** A caller that has gone before its call begins. */
export function signalScenarios(scenario: Scenario): void {
  scenario('keeps every call from doing anything, and is thrown', async ({ sessions, records, counters }) => {
    await sessions.append(bob, [input('a')])
    await records.put(key, 'a')
    const held = await counters.reserve([claim], { ttlMs: 1000 })
    const id = held.granted ? held.id : ''
    const state = async () => ({
      head: await sessions.head(bob),
      records: (await records.list()).items,
      counters: (await counters.list()).items,
    })
    const before = await state()

    const reason = new Error('The caller has gone.')
    const signal = AbortSignal.abort(reason)
    const calls = [
      () => sessions.append(bob, [input('b')], { signal }),
      () => sessions.read(bob, { signal }),
      () => sessions.head(bob, { signal }),
      () => sessions.claim(bob, { owner: 'one', ttlMs: 1000, signal }),
      () => sessions.delete(bob, { signal }),
      () => sessions.list({ signal }),
      () => records.get(key, { signal }),
      () => records.put(key, 'b', { signal }),
      () => records.delete(key, { signal }),
      () => records.list({ signal }),
      () => records.erase(bob, { signal }),
      () => counters.reserve([claim], { ttlMs: 1000, signal }),
      () => counters.extend(id, 1000, { signal }),
      () => counters.settle(id, [1], { signal }),
      () => counters.list({ signal }),
      () => counters.erase(bob, { signal }),
      ...(canSearch(records) ? [() => records.search('a', { signal })] : []),
    ]
    for (const call of calls) await expect(call()).rejects.toBe(reason)
    expect(await state()).toEqual(before)
    expect(await counters.settle(id, [1])).toBe(true)
  })

  scenario('does not undo or stop what has begun', async ({ sessions, records, counters }) => {
    const controller = new AbortController()
    const { signal } = controller
    const begun = [
      sessions.append(bob, [input('a')], { signal }),
      records.put(key, 'a', { signal }),
      counters.reserve([claim], { ttlMs: 1000, signal }),
    ]
    controller.abort()
    await Promise.all(begun)
    expect(textsOf(await sessions.read(bob))).toEqual(['a'])
    expect(await records.get(key)).toMatchObject({ value: 'a' })
    expect((await counters.list()).items).toMatchObject([{ reserved: 1 }])
  })
}
