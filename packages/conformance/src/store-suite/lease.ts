import { expect } from 'vitest'
import { alice, bob, claimed, ended, fenced, input, message, started, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** One writer at a time, proven by its epoch. */
export function leaseScenarios(scenario: Scenario): void {
  scenario('is one owner’s at a time, until it is released', async ({ sessions }) => {
    const lease = await claimed(sessions, 'one')
    expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeUndefined()
    expect(await sessions.claim(alice, { owner: 'two', ttlMs: 1000 })).toBeDefined()
    await lease.release()
    expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
  })

  scenario('comes with the head as it was taken', async ({ sessions }) => {
    await sessions.append(bob, [input('a')])
    const { head, epoch } = await claimed(sessions)
    expect(head).toEqual(await sessions.head(bob))
    expect(head).toMatchObject({ epoch, length: 1, inbox: ['a'] })
  })

  scenario('runs out, unless it is renewed', async ({ sessions, advance }) => {
    const lease = await claimed(sessions, 'one')
    advance(900)
    expect(await lease.renew()).toBe(true)
    advance(900)
    expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeUndefined()
    advance(101)
    expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
    expect(await lease.renew()).toBe(false)
  })

  scenario('fences whoever held it before', async ({ sessions, advance }) => {
    const old = await claimed(sessions, 'one')
    advance(1001)
    const lease = await claimed(sessions, 'two')
    expect(lease.epoch).toBeGreaterThan(old.epoch)
    await expect(sessions.append(bob, [message('late')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
    await old.release()
    expect(await sessions.claim(bob, { owner: 'three', ttlMs: 1000 })).toBeUndefined()
    await sessions.append(bob, [message('in time')], { epoch: lease.epoch })
    expect(textsOf(await sessions.read(bob))).toEqual(['in time'])
  })

  scenario('is needed for everything but inputs, withdrawals and metadata', async ({ sessions }) => {
    await sessions.append(bob, [
      input('a'),
      { type: 'input-withdrawn', input: 'a' },
      { type: 'metadata', set: { title: 'T' } },
    ])
    for (const entry of [message('m'), started('a'), ended(), { type: 'tool-started', callId: 'c' } as const]) {
      await expect(sessions.append(bob, [entry])).rejects.toSatisfy(fenced)
      await expect(sessions.append(bob, [entry], { epoch: 0 })).rejects.toSatisfy(fenced)
    }
    expect(await sessions.read(bob)).toHaveLength(3)
  })

  scenario('of a deleted session is worth nothing, even when the session is made anew', async ({ sessions }) => {
    const old = await claimed(sessions, 'one')
    await sessions.append(bob, [message('a')], { epoch: old.epoch })
    const { id } = (await sessions.head(bob)) ?? {}
    await sessions.delete(bob)
    await expect(sessions.append(bob, [message('b')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
    expect(await old.renew()).toBe(false)
    const lease = await claimed(sessions, 'two')
    expect(lease.epoch).toBeGreaterThan(old.epoch)
    expect(lease.head.id).not.toBe(id)
    await expect(sessions.append(bob, [message('c')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
  })
}
