import { defineTool, memoryStore, Namespace } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { alice, announced, aSwitch, bob, codeOf, logOf, scripted } from './harness.ts'

const copy = Namespace.of('copy')
const act = defineTool({ name: 'act', description: 'Acts.', execute: () => 'done' })

/** A conversation of two runs, one with a tool. */
async function talked() {
  const made = scripted([{ toolCalls: [{ name: 'act' }] }, 'Done.', 'Two.', 'Three.'], {
    tools: [act],
    store: memoryStore(),
  })
  await made.orra.session(bob).setMetadata({ title: 'T' })
  await made.orra.run(bob, '1')
  await made.orra.run(bob, '2')
  return made
}

async function linesOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('a fork', () => {
  it('goes its own way from then on', async () => {
    const { orra, provider } = await talked()
    await orra.session(bob).fork(copy)
    expect(await logOf(orra, copy)).toEqual(await logOf(orra))
    expect((await orra.session(copy).head())?.metadata).toEqual({ title: 'T' })
    await orra.run(copy, '3')
    expect(provider.requests.at(-1)?.messages).toHaveLength(7)
    expect(await logOf(orra)).toHaveLength((await logOf(orra, copy)).length - 5)
  })

  it('may be of an earlier place, and ends with a whole run', async () => {
    const { orra } = await talked()
    const seqs: number[] = []
    for await (const { seq, entry } of orra.session(bob).entries()) if (entry.type === 'run-ended') seqs.push(seq)
    await orra.session(bob).fork(copy, { through: (seqs[1] as number) - 1 })
    expect(await logOf(orra, copy)).toEqual((await logOf(orra)).slice(0, seqs[0]))
  })

  it('takes no open work with it', async () => {
    const asked = aSwitch()
    const { orra } = scripted(['One.', announced(asked, { text: 'x', before: aSwitch().promise })])
    await orra.run(bob, '1')
    const running = orra.run(bob, '2')
    await asked.promise
    await orra.submit(bob, '3')
    await orra.session(bob).fork(copy)
    const head = await orra.session(copy).head()
    expect(head).toMatchObject({ inbox: [] })
    expect(head).not.toHaveProperty('openRun')
    expect(await orra.session(copy).messages()).toHaveLength(2)
    await orra.close()
    expect(await codeOf(running)).toBe('runtime.closed')
  })

  it('does not touch a session that is there', async () => {
    const { orra } = await talked()
    await orra.submit(copy, 'mine')
    expect(await codeOf(orra.session(bob).fork(copy))).toBe('session.exists')
    expect(await logOf(orra, copy)).toEqual(['input: mine'])
    expect(await codeOf(orra.session(bob).fork(bob))).toBe('session.exists')
  })
})

describe('an export', () => {
  it('comes back as it was, in whatever pieces it is read', async () => {
    const { orra } = await talked()
    const lines = await linesOf(orra.session(bob).export())
    expect(JSON.parse(lines[0] as string)).toMatchObject({ type: 'session', version: 1, namespace: bob.key })
    const store = memoryStore()
    const other = scripted(['Three.'], { store }).orra
    await other.session(copy).import(Array.from(lines.join(''), (character) => character))
    expect(await logOf(other, copy)).toEqual(await logOf(orra))
    expect((await other.run(copy, '3')).text).toBe('Three.')
  })

  it('takes open work with it', async () => {
    const { orra } = scripted([])
    await orra.submit(bob, 'Hello')
    const other = scripted(['Hi.']).orra
    await other.session(bob).import(orra.session(bob).export())
    await other.recover({ untilIdle: true })
    expect((await logOf(other)).at(-1)).toBe('run-ended completed')
  })

  it('of nothing is nothing', async () => {
    expect(await linesOf(scripted([]).orra.session(bob).export())).toEqual([])
  })

  const header = '{"type":"session","version":1,"namespace":"a","id":"1","createdAt":1}'
  const end = (entries: number) => JSON.stringify({ type: 'end', entries })
  const line = (entry: object) => JSON.stringify({ type: 'entry', seq: 1, at: 1, entry })
  const hello = { role: 'user', content: [{ type: 'text', text: 'a secret' }] }
  const input = line({ type: 'input', key: 'k', message: hello })
  const start = line({ type: 'run-started', runId: 'r', input: 'k' })
  const said = line({ type: 'message', message: hello, input: 'k' })
  it.each([
    ['nothing', '', 1],
    ['no JSON', `${header}\nsecret`, 2],
    ['no session', input, 1],
    ['a newer version', '{"type":"session","version":2}', 1],
    ['an entry of an unknown kind', `${header}\n${line({ type: 'secret' })}`, 2],
    ['an entry without what it needs', `${header}\n\n${line({ type: 'input', key: 'k' })}`, 3],
    ['a run within a run', [header, input, start, said, start].join('\n'), 5],
    ['an input taken twice', [header, input, start, said, said].join('\n'), 5],
    ['a message outside of a run', [header, line({ type: 'message', message: hello })].join('\n'), 2],
    [
      'the end of another run',
      [
        header,
        input,
        line({
          type: 'run-ended',
          runId: 'x',
          reason: 'completed',
          usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
        }),
      ].join('\n'),
      3,
    ],
    ['no end', [header, input].join('\n'), 2],
    ['another end', [header, input, end(2)].join('\n'), 3],
    ['a second session', [header, input, end(1), header].join('\n'), 4],
    ['a run without its message', [header, input, start].join('\n'), 3],
    ['a run for nobody', [header, start, said].join('\n'), 2],
    ['a key accepted twice', [header, input, input].join('\n'), 3],
    [
      'settings that are none',
      [header, line({ type: 'input', key: 'k', message: hello, settings: null })].join('\n'),
      2,
    ],
    [
      'turns that never end',
      [header, line({ type: 'input', key: 'k', message: hello, settings: { maxTurns: 'x' } })].join('\n'),
      2,
    ],
    [
      'two calls of one id',
      [
        header,
        input,
        start,
        said,
        line({
          type: 'message',
          message: {
            role: 'assistant',
            content: [1, 2].map(() => ({ type: 'tool-call', callId: 'c', name: 'n', input: {} })),
          },
        }),
      ].join('\n'),
      5,
    ],
    [
      'an empty message',
      [header, line({ type: 'input', key: 'k', message: { role: 'user', content: [] } })].join('\n'),
      2,
    ],
    ['a blank line before a newer version', '\n{"type":"session","version":9}', 2],
    [
      'a result without its call',
      [
        header,
        input,
        start,
        said,
        line({
          type: 'message',
          message: { role: 'tool', content: [{ type: 'tool-result', callId: 'c', name: 'n', content: [] }] },
        }),
      ].join('\n'),
      5,
    ],
  ])('with %s is refused, without quoting it, and nothing is written', async (_, text, at) => {
    const { orra } = scripted([])
    const failure = await orra
      .session(copy)
      .import([text])
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'import.invalid', details: { line: at } })
    expect(String(failure)).not.toContain('secret')
    expect(await orra.session(copy).head()).toBeUndefined()
  })

  it('is not imported over a session that is there', async () => {
    const { orra } = await talked()
    expect(await codeOf(orra.session(bob).import(orra.session(bob).export()))).toBe('session.exists')
  })
})

describe('everything under a namespace', () => {
  const acme = Namespace.of('tenant', 'acme')
  const beside = Namespace.of('tenant', 'acme-2')

  async function filled() {
    const store = memoryStore()
    const { orra } = scripted(['One.', 'Two.', 'Three.'], { store })
    for (const namespace of [bob, alice, beside]) {
      await orra.run(namespace, 'Hello')
      await store.records.put({ collection: 'memory', namespace, id: 'a' }, { note: 'x' })
      const ancestors = namespace.ancestors()
      const claims = ancestors.map((each) => ({ namespace: each, counter: 'runs', window: 'all', amount: 1 }))
      const made = await store.counters.reserve(claims, { ttlMs: 1000 })
      if (made.granted)
        await store.counters.settle(
          made.id,
          claims.map(() => 1),
        )
    }
    return { orra, store }
  }

  it('is exported in one', async () => {
    const { orra } = await filled()
    const lines = (await linesOf(orra.export(acme))).map((text) => JSON.parse(text))
    const count = (type: string) => lines.filter((line) => line.type === type).length
    expect([count('session'), count('record'), count('counter')]).toEqual([2, 4, 4])
    expect(count('entry')).toBe(2 * 5)
    expect(JSON.stringify(lines)).not.toContain(beside.key)
  })

  it('is erased in one, with a receipt, and nothing else is', async () => {
    const { orra, store } = await filled()
    expect(await orra.erase(acme)).toEqual({ sessions: 2, records: 4, counters: 4 })
    expect(await linesOf(orra.export(acme))).toEqual([])
    expect(await orra.erase(acme)).toEqual({ sessions: 0, records: 0, counters: 0 })
    expect((await store.sessions.list()).items.map(({ namespace }) => namespace)).toEqual([beside.key])
    expect((await store.records.list()).items).toHaveLength(2)
    expect((await store.counters.list()).items.map(({ namespace }) => namespace)).toEqual(['tenant', beside.key])
  })

  it('stays erased when others wait for the session', async () => {
    const store = memoryStore()
    const asked = aSwitch()
    const one = scripted([announced(asked, { text: 'x', before: aSwitch().promise })], { store }).orra
    const running = codeOf(one.run(bob, 'Hello'))
    await asked.promise
    const two = scripted([], { store }).orra
    const waiting = aSwitch()
    const other = codeOf(
      (async () => {
        for await (const { type } of two.stream(bob, '2')) if (type === 'waiting') waiting.on()
      })(),
    )
    await waiting.promise
    expect((await one.erase(acme)).sessions).toBe(1)
    expect([await running, await other]).toEqual(['session.deleted', 'session.deleted'])
    expect(await linesOf(two.export(acme))).toEqual([])
  })

  it('is erased under those who work there, who are told', async () => {
    const [asked, go] = [aSwitch(), aSwitch()]
    const { orra } = scripted([announced(asked, { text: 'x', before: go.promise })])
    const running = codeOf(orra.run(bob, 'Hello'))
    await asked.promise
    expect(await orra.erase(acme)).toMatchObject({ sessions: 1 })
    expect(await running).toBe('session.deleted')
    expect(await linesOf(orra.export(acme))).toEqual([])
  })
})

describe('metadata', () => {
  it('is not set with options that it does not have, or to what has no names', async () => {
    const session = scripted([]).orra.session(bob)
    expect(await codeOf(session.setMetadata({ a: 1 }, { expects: {} } as never))).toBe('options.invalid')
    expect(await codeOf(session.setMetadata('text' as never))).toBe('options.invalid')
    expect(await codeOf(session.setMetadata({ a: 1 }, { expect: null as never }))).toBe('options.invalid')
    await session.setMetadata({ a: 1 }, { expect: { constructor: null } })
  })

  it('is set only where it is as expected, if that is asked for', async () => {
    const session = scripted([]).orra.session(bob)
    await session.setMetadata({ owner: 'one' }, { expect: { owner: null } })
    expect(await codeOf(session.setMetadata({ owner: 'two' }, { expect: { owner: null } }))).toBe('store.conflict')
    await session.setMetadata({ owner: { name: 'two' } }, { expect: { owner: 'one' } })
    await session.setMetadata({ owner: null }, { expect: { owner: { name: 'two' } } })
    expect((await session.head())?.metadata).toEqual({})
  })
})
