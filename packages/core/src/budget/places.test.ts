import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HeldLimit } from '../gate/limits.ts'
import { Namespace } from '../namespace.ts'
import { memoryStore } from '../store/memory-store.ts'
import { concurrencyClaims } from './held-claims.ts'
import { openPlaces } from './places.ts'

const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const signal = new AbortController().signal

function setUp(...limits: readonly (readonly [number, Namespace])[]) {
  const { counters } = memoryStore()
  const places = openPlaces(counters)
  const all = limits.map(([value, namespace]): HeldLimit => ({ name: 'concurrentRuns', value, namespace, rule: '' }))
  const held = concurrencyClaims({
    decide: () => ({ allowed: true }),
    approvalOf: () => undefined,
    limits: all,
    limit: () => all[0],
  })
  const enter = async (givesWay = false) => {
    const taken = await places.take(held, givesWay, signal)
    return 'place' in taken ? taken.place : undefined
  }
  return { counters, places, held, enter }
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 4, 26, 10) })
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('places among runs at the same time', () => {
  it('are no more than there are, and are given back', async () => {
    const { enter } = setUp([1, acme], [5, bob])
    const place = await enter()
    expect(await enter()).toBeUndefined()
    await place?.[Symbol.asyncDispose]()
    await place?.[Symbol.asyncDispose]()
    await (await enter())?.[Symbol.asyncDispose]()
  })

  it('are kept as long as they are needed, through failures of the store', async () => {
    const { counters, enter } = setUp([1, acme])
    const place = await enter()
    const extend = vi.spyOn(counters, 'extend')
    for (let minutes = 0; minutes < 5; minutes += 1) {
      extend.mockRejectedValueOnce(new Error('away'))
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await enter()).toBeUndefined()
    }
    await place?.[Symbol.asyncDispose]()
  })

  it('are lost when their process dies', async () => {
    const { counters, enter } = setUp([1, acme])
    const lost = await enter()
    vi.spyOn(counters, 'extend').mockRejectedValue(new Error('away'))
    await vi.advanceTimersByTimeAsync(30_000)
    const place = await enter()
    expect(place).toBeDefined()
    await place?.[Symbol.asyncDispose]()
    await lost?.[Symbol.asyncDispose]()
  })

  it('are left to those who wait elsewhere, for as long as they do', async () => {
    const { held, places, enter } = setUp([1, acme])
    const [limit] = held
    if (!limit) throw new Error('There is a limit.')
    const waiting = places.wait(limit)
    await vi.advanceTimersByTimeAsync(0)
    expect(await enter(true)).toBeUndefined()
    await (await enter())?.[Symbol.asyncDispose]()
    waiting[Symbol.dispose]()
    await vi.advanceTimersByTimeAsync(0)
    await (await enter(true))?.[Symbol.asyncDispose]()
  })
})
