import type { LoggedEntry } from '@orra/core'
import { expect } from 'vitest'
import { bob, claimed, ended, entriesOf, fenced, input, message, textsOf } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** What is appended is there, whole and in its place. */
export function logScenarios(scenario: Scenario): void {
  scenario('knows nothing of a session before its first entry', async (sessions) => {
    expect(await sessions.head(bob)).toBeUndefined()
    expect(await sessions.read(bob)).toEqual([])
  })

  scenario('numbers entries from 1 and returns them as they were given', async (sessions) => {
    const { seqs, head } = await sessions.append(bob, [input('a'), input('b')])
    expect(seqs).toEqual([1, 2])
    expect(head).toMatchObject({ namespace: bob.key, length: 2, inbox: ['a', 'b'], epoch: 0 })
    expect((await sessions.append(bob, [input('c')])).seqs).toEqual([3])
    expect(entriesOf(await sessions.read(bob))).toEqual([input('a'), input('b'), input('c')])
    expect((await sessions.read(bob)).map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  scenario('reads on from a place, in pages', async (sessions) => {
    await sessions.append(
      bob,
      ['a', 'b', 'c', 'd'].map((text) => input(text)),
    )
    expect(textsOf(await sessions.read(bob, { after: 2 }))).toEqual(['c', 'd'])
    expect(textsOf(await sessions.read(bob, { after: 1, limit: 2 }))).toEqual(['b', 'c'])
    expect(await sessions.read(bob, { after: 4 })).toEqual([])
  })

  scenario('appends all entries of a call or none', async (sessions) => {
    await expect(sessions.append(bob, [input('kept out'), ended()])).rejects.toSatisfy(fenced)
    expect(await sessions.read(bob)).toEqual([])
  })

  scenario('keeps copies', async (sessions) => {
    const entry = input('before')
    await sessions.append(bob, [entry])
    Object.assign(entry.message.content[0] as object, { text: 'after' })
    expect(textsOf(await sessions.read(bob))).toEqual(['before'])
    const [read] = await sessions.read(bob)
    try {
      Object.assign((read as LoggedEntry).entry, { type: 'metadata' })
    } catch {
      // Frozen: as good as a copy.
    }
    expect(entriesOf(await sessions.read(bob))[0]).toMatchObject({ type: 'input' })
  })

  scenario('keeps every character, and entries of a mebibyte', async (sessions) => {
    const texts = ['𝒳 ünï 日本語 \u0000 \u2028 "\\', 'x'.repeat(1024 * 1024)]
    await sessions.append(
      bob,
      texts.map((text) => input(text)),
    )
    expect(textsOf(await sessions.read(bob, { limit: 1 }))).toEqual([texts[0]])
    expect(textsOf(await sessions.read(bob, { after: 1 }))).toEqual([texts[1]])
  })

  scenario('reads a long log to its end', async (sessions) => {
    const { epoch } = await claimed(sessions)
    for (let part = 0; part < 10; part += 1) {
      await sessions.append(
        bob,
        Array.from({ length: 1000 }, (_, index) => message(`${part * 1000 + index}`)),
        { epoch },
      )
    }
    const seen: string[] = []
    for (let after = 0; ; ) {
      const page = await sessions.read(bob, { after })
      if (page.length === 0) break
      seen.push(...textsOf(page))
      after = (page.at(-1) as LoggedEntry).seq
    }
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, index) => `${index}`))
  })

  scenario('gives each of many simultaneous appends a place of its own', async (sessions) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => sessions.append(bob, [input(`${index}`)])),
    )
    expect(results.flatMap(({ seqs }) => seqs).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    expect(await sessions.read(bob)).toHaveLength(50)
  })

  scenario('refuses to begin when the signal has aborted', async (sessions) => {
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(sessions.append(bob, [input('a')], { signal })).rejects.toThrow('stop')
    await expect(sessions.read(bob, { signal })).rejects.toThrow('stop')
    expect(await sessions.head(bob)).toBeUndefined()
  })
}
