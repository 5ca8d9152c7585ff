import { expect } from 'vitest'
import { bob, claimed, code, fenced, input, message, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

const HOUR_MS = 60 * 60 * 1000

/** Clocks are put right, and then they go back. */
export function clockScenarios(scenario: Scenario): void {
  scenario('stamps what is appended', async ({ sessions, advance }) => {
    await sessions.append(bob, [input('a')])
    advance(5000)
    const { head } = await sessions.append(bob, [input('b')])
    const [first, second] = await sessions.read(bob)
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBe(5000)
    expect(head).toMatchObject({ createdAt: first?.at, updatedAt: second?.at })
  })

  scenario('may go back without a fence or an entry being lost', async ({ sessions, advance }) => {
    const old = await claimed(sessions, 'one')
    await sessions.append(bob, [message('a')], { epoch: old.epoch })
    advance(1001)
    const lease = await claimed(sessions, 'two')
    advance(-HOUR_MS)
    await expect(sessions.append(bob, [message('late')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
    await sessions.append(bob, [message('b')], { epoch: lease.epoch })
    await sessions.append(bob, [input('c')])
    expect(await sessions.claim(bob, { owner: 'three', ttlMs: 1000 })).toBeUndefined()
    await lease.release()
    const next = await claimed(sessions, 'three')
    expect(next.epoch).toBeGreaterThan(lease.epoch)
    await expect(sessions.append(bob, [message('late')], { epoch: lease.epoch })).rejects.toSatisfy(fenced)
    await sessions.append(bob, [message('d')], { epoch: next.epoch })
    const logged = await sessions.read(bob)
    expect(logged.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    expect(textsOf(logged)).toEqual(['a', 'b', 'c', 'd'])
  })

  scenario('may go back without a lease that is renewed then lasting for ever', async ({ sessions, advance }) => {
    const lease = await claimed(sessions, 'one')
    advance(-HOUR_MS)
    expect(await lease.renew()).toBe(true)
    advance(1001)
    expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
  })

  scenario('may go back without versions doing so', async ({ records, advance }) => {
    const key = { collection: 'memory', namespace: bob, id: 'one' }
    const first = await records.put(key, 1)
    advance(-HOUR_MS)
    const second = await records.put(key, 2, { version: first.version })
    expect(second.version).toBeGreaterThan(first.version)
    await expect(records.put(key, 3, { version: first.version })).rejects.toSatisfy(code('store.conflict'))
    expect(await records.get(key)).toEqual(second)
  })

  scenario('may go back without a limit being overrun', async ({ counters, advance }) => {
    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 6, limit: 10 }
    const first = await counters.reserve([claim], { ttlMs: 1000 })
    advance(-HOUR_MS)
    expect(await counters.reserve([claim], { ttlMs: 1000 })).toEqual({ granted: false, claim: 0, taken: 6 })
    expect(first.granted && (await counters.settle(first.id, [5]))).toBe(true)
    expect(await counters.reserve([claim], { ttlMs: 1000 })).toEqual({ granted: false, claim: 0, taken: 5 })
  })
}
