import { expect } from 'vitest'
import { bob, claimed, code, ended, fenced, input, message, started, textsOf } from './entries.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

/** Many at once on one session. */
export function raceScenarios(scenario: Scenario): void {
  scenario('gives each append a place of its own', async ({ sessions }) => {
    const results = await Promise.all(numbers(50).map((index) => sessions.append(bob, [input(`${index}`)])))
    const seqs = results.flatMap((result) => result.seqs)
    expect(seqs.toSorted((a, b) => a - b)).toEqual(numbers(50).map((index) => index + 1))
    expect(await sessions.read(bob)).toHaveLength(50)
  })

  scenario('mixes what the writer appends with what others do, and loses nothing', async ({ sessions }) => {
    const { epoch } = await claimed(sessions)
    const appends = numbers(40).map((index) =>
      index % 2 === 0
        ? sessions.append(bob, [message(`m${index}`), message(`n${index}`)], { epoch })
        : sessions.append(bob, [input(`i${index}`)]),
    )
    const results = await Promise.all(appends)
    const logged = await sessions.read(bob)
    const texts = textsOf(logged)
    expect(logged.map(({ seq }) => seq)).toEqual(numbers(60).map((index) => index + 1))
    for (const [index, { seqs }] of results.entries()) {
      const [first = 0, second = first + 1] = seqs
      expect(second).toBe(first + 1)
      expect(texts[first - 1]).toBe(index % 2 === 0 ? `m${index}` : `i${index}`)
      if (index % 2 === 0) expect(texts[first]).toBe(`n${index}`)
    }
    expect((await sessions.head(bob))?.inbox).toEqual(texts.filter((text) => text.startsWith('i')))
  })

  scenario('accepts one key once', async ({ sessions }) => {
    const same = await Promise.all(numbers(20).map((index) => sessions.append(bob, [input(`${index}`, 'key')])))
    expect(same.map(({ seqs }) => seqs)).toEqual(numbers(20).map(() => [1]))
    expect(same.map(({ written }) => written).toSorted()).toEqual(numbers(20).map((index) => (index < 19 ? 0 : 1)))
    expect(await sessions.read(bob)).toHaveLength(1)
  })

  scenario('lets one message take an input', async ({ sessions }) => {
    await sessions.append(bob, [input('a')])
    const { epoch } = await claimed(sessions)
    const take = { ...message('a'), input: 'a' }
    const results = await Promise.allSettled(numbers(10).map(() => sessions.append(bob, [take], { epoch })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of results) if (one.status === 'rejected') expect(one.reason).toSatisfy(code('store.input-gone'))
    expect(await sessions.read(bob)).toHaveLength(2)
  })

  scenario('gives the lease to one of many', async ({ sessions }) => {
    const asking = numbers(20).map((index) => sessions.claim(bob, { owner: `${index}`, ttlMs: 1000 }))
    expect((await Promise.all(asking)).filter((lease) => lease !== undefined)).toHaveLength(1)
  })

  scenario('gives the lease to one of many whenever it runs out', async ({ sessions, advance }) => {
    const epochs: number[] = []
    for (const round of numbers(5)) {
      const asking = numbers(10).map((index) => sessions.claim(bob, { owner: `${round}-${index}`, ttlMs: 1000 }))
      const leases = (await Promise.all(asking)).filter((lease) => lease !== undefined)
      expect(leases).toHaveLength(1)
      epochs.push(...leases.map(({ epoch }) => epoch))
      advance(1001)
    }
    expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b))
    const appends = epochs.map((epoch) => sessions.append(bob, [message(`${epoch}`)], { epoch }))
    const results = await Promise.allSettled(appends)
    expect(results.map(({ status }) => status)).toEqual(numbers(5).map((n) => (n < 4 ? 'rejected' : 'fulfilled')))
    for (const one of results) if (one.status === 'rejected') expect(one.reason).toSatisfy(fenced)
    expect(textsOf(await sessions.read(bob))).toEqual([`${epochs.at(-1)}`])
  })

  scenario('leaves a whole session or none where some append and one deletes', async ({ sessions }) => {
    const { epoch } = await claimed(sessions)
    await sessions.append(bob, [input('a'), started('a'), { ...message('a'), input: 'a' }, ended()], { epoch })
    const { id } = (await sessions.head(bob)) ?? {}
    const appends = numbers(10).map((index) => sessions.append(bob, [input(`${index}`)]))
    await Promise.all([...appends.slice(0, 5), sessions.delete(bob), ...appends.slice(5)])
    const [head, logged] = [await sessions.head(bob), await sessions.read(bob)]
    expect(logged.map(({ seq }) => seq)).toEqual(numbers(head?.length ?? 0).map((index) => index + 1))
    expect(head?.inbox ?? []).toEqual(textsOf(logged))
    expect(head?.id).not.toBe(id)
  })
}
