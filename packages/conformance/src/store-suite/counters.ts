import { type Claim, type Counters, Namespace } from '@orra/core'
import { expect } from 'vitest'
import { alice, bob, code } from './entries.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

const acme = Namespace.of('tenant', 'acme')
const DAY_MS = 24 * 60 * 60 * 1000
const held = { ttlMs: 1000 }

function usd(amount: number, limit?: number, namespace = bob): Claim {
  return { namespace, counter: 'usd', window: 'all', amount, ...(limit === undefined ? {} : { limit }) }
}

async function reserved(counters: Counters, ...claims: readonly Claim[]): Promise<string> {
  const reservation = await counters.reserve(claims, held)
  if (!reservation.granted) throw new Error('The reservation should have been granted.')
  return reservation.id
}

/** What is used and reserved, by namespace. */
async function amounts(counters: Counters): Promise<{ readonly [namespace: string]: readonly [number, number] }> {
  const { items } = await counters.list()
  return Object.fromEntries(items.map(({ namespace, used, reserved }) => [namespace, [used, reserved]]))
}

/** An amount that is taken before it is spent, and counted after. */
export function counterScenarios(scenario: Scenario): void {
  scenario('counts as reserved, and once settled as used', async ({ counters }) => {
    const id = await reserved(counters, usd(5))
    const counter = { namespace: bob.key, counter: 'usd', window: 'all' }
    expect(await counters.list()).toEqual({ items: [{ ...counter, used: 0, reserved: 5 }] })
    expect(await counters.settle(id, [3])).toBe(true)
    expect((await counters.list()).items).toEqual([{ ...counter, used: 3, reserved: 0 }])
    await counters.settle(await reserved(counters, usd(5)), [4])
    expect(await amounts(counters)).toEqual({ [bob.key]: [7, 0] })
  })

  scenario('takes all of its claims or none', async ({ counters }) => {
    await reserved(counters, usd(8, 10, acme))
    const refused = await counters.reserve([usd(3, 10), usd(3, 10, acme)], held)
    expect(refused).toEqual({ granted: false, claim: 1, taken: 8 })
    expect(await amounts(counters)).toEqual({ [acme.key]: [0, 8] })
    await reserved(counters, usd(2, 10), usd(2, 10, acme))
    expect(await amounts(counters)).toEqual({ [acme.key]: [0, 10], [bob.key]: [0, 2] })
    expect(await counters.reserve([usd(9, 10), usd(1, 10, acme)], held)).toEqual({ granted: false, claim: 0, taken: 2 })
  })

  scenario('makes no counter when it is refused', async ({ counters }) => {
    expect(await counters.reserve([usd(1), usd(2, 1, acme)], held)).toEqual({ granted: false, claim: 1, taken: 0 })
    expect(await counters.list()).toEqual({ items: [] })
  })

  scenario('adds up two claims of one counter', async ({ counters }) => {
    expect(await counters.reserve([usd(6, 10), usd(6, 10)], held)).toEqual({ granted: false, claim: 1, taken: 6 })
    const id = await reserved(counters, usd(4, 10), usd(6, 10))
    expect(await amounts(counters)).toEqual({ [bob.key]: [0, 10] })
    expect(await counters.settle(id, [1, 2])).toBe(true)
    expect(await amounts(counters)).toEqual({ [bob.key]: [3, 0] })
  })

  scenario('never overruns a limit, however many ask at once', async ({ counters }) => {
    const asking = numbers(50).map((index) => {
      const user = index % 2 === 0 ? bob : alice
      return counters.reserve([usd(1, 12, user), usd(1, 20, acme)], held)
    })
    const granted = (await Promise.all(asking)).filter((reservation) => reservation.granted)
    expect(granted).toHaveLength(20)
    const { [bob.key]: ofBob = [0, 0], [alice.key]: ofAlice = [0, 0], ...rest } = await amounts(counters)
    expect(rest).toEqual({ [acme.key]: [0, 20] })
    expect(ofBob[1] + ofAlice[1]).toBe(20)
    expect(Math.max(ofBob[1], ofAlice[1])).toBeLessThanOrEqual(12)
    await Promise.all(granted.map(({ id }) => counters.settle(id, [1, 1])))
    expect((await amounts(counters))[acme.key]).toEqual([20, 0])
  })

  scenario('stops counting when it runs out', async ({ counters, advance }) => {
    await reserved(counters, usd(10, 10))
    advance(999)
    expect(await counters.reserve([usd(1, 10)], held)).toEqual({ granted: false, claim: 0, taken: 10 })
    advance(1)
    await reserved(counters, usd(1, 10))
    expect(await amounts(counters)).toEqual({ [bob.key]: [0, 1] })
  })

  scenario('is settled late, within a day, though others took its place', async ({ counters, advance }) => {
    const late = await reserved(counters, usd(10, 10))
    advance(1001)
    const other = await reserved(counters, usd(10, 10))
    expect(await counters.settle(other, [10])).toBe(true)
    advance(DAY_MS - 1001)
    expect(await counters.settle(late, [9])).toBe(true)
    expect(await amounts(counters)).toEqual({ [bob.key]: [19, 0] })
    expect(await counters.reserve([usd(0, 10)], held)).toEqual({ granted: false, claim: 0, taken: 19 })
  })

  scenario('is settled once', async ({ counters }) => {
    const id = await reserved(counters, usd(5))
    const settling = await Promise.all(numbers(10).map(() => counters.settle(id, [5])))
    expect(settling.filter(Boolean)).toHaveLength(1)
    expect(await counters.settle(id, [5])).toBe(false)
    expect(await counters.settle('never', [5])).toBe(false)
    expect(await amounts(counters)).toEqual({ [bob.key]: [5, 0] })
  })

  scenario('is settled by an amount for each claim, 0 and more than was reserved included', async ({ counters }) => {
    const id = await reserved(counters, usd(5, 6), usd(5, 6, acme))
    expect(await counters.settle(id, [0, 50])).toBe(true)
    expect(await amounts(counters)).toEqual({ [acme.key]: [50, 0], [bob.key]: [0, 0] })
    expect(await counters.reserve([usd(1, 6, acme)], held)).toEqual({ granted: false, claim: 0, taken: 50 })
  })

  scenario('is extended while it counts', async ({ counters, advance }) => {
    const id = await reserved(counters, usd(5))
    advance(900)
    expect(await counters.extend(id, 2000)).toBe(true)
    advance(1900)
    expect(await amounts(counters)).toEqual({ [bob.key]: [0, 5] })
    advance(101)
    expect(await counters.extend(id, 1000)).toBe(false)
    expect(await amounts(counters)).toEqual({ [bob.key]: [0, 0] })
    const settled = await reserved(counters, usd(5))
    await counters.settle(settled, [5])
    expect(await counters.extend(settled, 1000)).toBe(false)
    expect(await counters.extend('never', 1000)).toBe(false)
  })

  scenario('shares nothing with other windows, counters and namespaces', async ({ counters }) => {
    const claims: readonly Claim[] = [
      usd(5, 5),
      { ...usd(5, 5), window: '2026-11-22' },
      { ...usd(5, 5), counter: 'usd/model' },
      usd(5, 5, alice),
      usd(5, 5, acme),
    ]
    for (const claim of claims) await reserved(counters, claim)
    for (const claim of claims) {
      expect(await counters.reserve([claim], held)).toEqual({ granted: false, claim: 0, taken: 5 })
    }
    expect((await counters.list()).items).toHaveLength(5)
  })

  scenario('keeps no window that has ended', async ({ counters, records, advance }) => {
    const { updatedAt: now } = await records.put({ collection: 'clock', namespace: bob, id: 'now' }, null)
    const today = { ...usd(5, 5), window: 'today', endsAt: now + 60_000 }
    const settled = await reserved(counters, today)
    expect((await counters.list()).items).toMatchObject([{ window: 'today', endsAt: now + 60_000, reserved: 5 }])
    await counters.settle(settled, [5])
    const late = await reserved(counters, { ...today, limit: 10 }, usd(1))
    advance(60_000)
    expect((await counters.list()).items).toMatchObject([{ window: 'all' }])
    expect(await counters.settle(late, [5, 1])).toBe(true)
    expect((await counters.list()).items).toMatchObject([{ window: 'all', used: 1, reserved: 0 }])
    expect(await counters.erase(bob)).toBe(1)
  })

  scenario('is granted up to the largest whole number, exactly', async ({ counters }) => {
    const most = Number.MAX_SAFE_INTEGER
    const id = await reserved(counters, usd(most - 1, most))
    expect(await counters.reserve([usd(2, most)], held)).toEqual({ granted: false, claim: 0, taken: most - 1 })
    await reserved(counters, usd(1, most))
    expect(await counters.settle(id, [most - 2])).toBe(true)
    expect(await amounts(counters)).toEqual({ [bob.key]: [most - 2, 1] })
  })

  scenario('is of whole amounts and of names that the contract takes', async ({ counters }) => {
    const wrong: readonly (readonly Claim[])[] = [
      [],
      ...[-1, 0.5, Number.NaN, 2 ** 53].map((amount) => [usd(amount)]),
      [usd(1, -1)],
      ...['', 'a\0b', '\ud800', 'c'.repeat(257)].map((counter) => [{ ...usd(1), counter }]),
      ...['', 'a\0b', 'w'.repeat(65)].map((window) => [{ ...usd(1), window }]),
      [usd(1), usd(1, 1, alice)],
      [usd(1, 1, Namespace.of('tenant', 'acme', 'user')), usd(1, 1, Namespace.of('tenant', 'ac'))],
    ]
    for (const claims of wrong) await expect(counters.reserve(claims, held)).rejects.toSatisfy(code('store.invalid'))
    await expect(counters.reserve([usd(1)], { ttlMs: -1 })).rejects.toSatisfy(code('store.invalid'))
    const id = await reserved(counters, usd(1))
    await expect(counters.settle(id, [0.5])).rejects.toSatisfy(code('store.invalid'))
    await expect(counters.extend(id, -1)).rejects.toSatisfy(code('store.invalid'))
    expect(await amounts(counters)).toEqual({ [bob.key]: [0, 1] })
  })
}
