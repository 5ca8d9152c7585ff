import { expect } from 'vitest'
import { bob, claimed, fenced, input, message, started } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** What a durable store finds again. */
export function restartScenarios(scenario: Scenario): void {
  scenario('finds everything as it was', async (sessions, { reopen, store }) => {
    if (!reopen) throw new Error('A durable store is tried with "reopen"; else say { durable: false }.')
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [input('a', 'k'), { type: 'metadata', set: { title: 'T' } }])
    await sessions.append(bob, [started('k'), { ...message('a'), input: 'k' }], { epoch })
    const before = { head: await sessions.head(bob), entries: await sessions.read(bob) }
    await store[Symbol.asyncDispose]()

    await using again = await reopen()
    expect({ head: await again.sessions.head(bob), entries: await again.sessions.read(bob) }).toEqual(before)
    expect((await again.sessions.append(bob, [input('b', 'k')])).seqs).toEqual([1])
    await expect(again.sessions.append(bob, [message('m')], { epoch: epoch - 1 })).rejects.toSatisfy(fenced)
    expect(await again.sessions.claim(bob, { owner: 'new', ttlMs: 1000 })).toBeUndefined()
    await again.sessions.append(bob, [message('m')], { epoch })
  })
}
