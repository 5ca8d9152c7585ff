import type { JsonValue, LoggedEntry, SessionLog } from '@orra/core'
import { expect } from 'vitest'
import { bob, claimed, ended, entriesOf, fenced, input, message, textsOf } from './entries.ts'
import { hostileTexts } from './hostile.ts'
import { numbers } from './pages.ts'
import type { Scenario } from './scenario.ts'

/** What is appended is there, whole and in its place. */
export function logScenarios(scenario: Scenario): void {
  scenario('knows nothing of a session before its first entry', async ({ sessions }) => {
    expect(await sessions.head(bob)).toBeUndefined()
    expect(await sessions.read(bob)).toEqual([])
  })

  scenario('numbers entries from 1 and returns them as they were given', async ({ sessions }) => {
    const { seqs, head, written } = await sessions.append(bob, [input('a'), input('b')])
    expect({ seqs, written }).toEqual({ seqs: [1, 2], written: 2 })
    expect(head).toMatchObject({ namespace: bob.key, length: 2, inbox: ['a', 'b'], epoch: 0 })
    expect((await sessions.append(bob, [input('c')])).seqs).toEqual([3])
    expect(entriesOf(await sessions.read(bob))).toEqual([input('a'), input('b'), input('c')])
    expect((await sessions.read(bob)).map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  scenario('reads on from a place, in pages', async ({ sessions }) => {
    await sessions.append(
      bob,
      ['a', 'b', 'c', 'd'].map((text) => input(text)),
    )
    expect(textsOf(await sessions.read(bob, { after: 2 }))).toEqual(['c', 'd'])
    expect(textsOf(await sessions.read(bob, { after: 1, limit: 2 }))).toEqual(['b', 'c'])
    expect(await sessions.read(bob, { after: 4 })).toEqual([])
  })

  scenario('appends all entries of a call or none', async ({ sessions }) => {
    await expect(sessions.append(bob, [input('kept out'), ended()])).rejects.toSatisfy(fenced)
    expect(await sessions.read(bob)).toEqual([])
  })

  scenario('keeps copies', async ({ sessions }) => {
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

  scenario('keeps every character', async ({ sessions }) => {
    const odd = { ['__proto__']: { '': [] }, constructor: {}, numbers: [0.1, 5e-324, 1e21, 2 ** 53 - 1, -1.5e300, []] }
    const set = { odd, deep: deep(100), ...Object.fromEntries(hostileTexts.map((text) => [`x${text}`, text])) }
    const entries = hostileTexts.map((text, index) => input(text, `${index}`))
    await sessions.append(bob, [...entries, { type: 'metadata', set }])
    const logged = await sessions.read(bob)
    expect(textsOf(logged)).toEqual(hostileTexts)
    expect(sorted((await sessions.head(bob))?.metadata)).toBe(sorted(set))
    expect(sorted(logged.at(-1)?.entry)).toBe(sorted({ type: 'metadata', set }))
  })

  scenario('reads entries of a mebibyte in the middle of pages', async ({ sessions }) => {
    const texts = numbers(24).map((index) => (index % 2 === 0 ? `${index}` : `${index}`.padEnd(1024 * 1024, 'x')))
    for (const text of texts) await sessions.append(bob, [input(text)])
    expect(textsOf(await sessions.read(bob, { after: 1, limit: 1 }))).toEqual([texts[1]])
    expect(textsOf(await readAll(sessions))).toEqual(texts)
    expect(textsOf(await readAll(sessions, 5))).toEqual(texts)
  })

  scenario('reads a long log to its end', async ({ sessions }) => {
    const { epoch } = await claimed(sessions)
    for (const part of numbers(10)) {
      const thousand = numbers(1000).map((index) => message(`${part * 1000 + index}`))
      await sessions.append(bob, thousand, { epoch })
    }
    const logged = await readAll(sessions)
    expect(textsOf(logged)).toEqual(numbers(10_000).map(String))
    expect(logged.map(({ seq }) => seq)).toEqual(numbers(10_000).map((index) => index + 1))
    expect(textsOf(await sessions.read(bob, { after: 9_998 }))).toEqual(['9998', '9999'])
  })

  scenario('writes nothing, and makes no session, where nothing is given', async ({ sessions }) => {
    expect(await sessions.append(bob, [])).toMatchObject({ seqs: [], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    expect((await sessions.list()).items).toEqual([])
  })
}

/** From one page to the next, until one is empty. */
async function readAll(sessions: SessionLog, limit = 1000): Promise<readonly LoggedEntry[]> {
  const logged: LoggedEntry[] = []
  for (;;) {
    const page = await sessions.read(bob, { after: logged.at(-1)?.seq ?? 0, limit })
    if (page.length === 0) return logged
    expect(page.length).toBeLessThanOrEqual(limit)
    logged.push(...page)
  }
}

function deep(levels: number): JsonValue {
  return levels === 0 ? [] : [deep(levels - 1)]
}

/** As JSON with its names in order, which a store need not keep. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
