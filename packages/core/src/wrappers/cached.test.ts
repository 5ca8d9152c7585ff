import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure, hear, hello, played, USAGE } from '../../test/played-provider.ts'
import type { ModelEvent, ModelRequest, Provider } from '../provider.ts'
import { cached } from './cached.ts'
import { fallback } from './fallback.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orra-cached-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A provider that is down, and one that gives its model's name with a date. */
function datedAmongSeveral() {
  const a = played([{ says: [], end: failure('provider.unavailable') }], { name: 'a' })
  const b = played([{}], { name: 'b', model: 'b' })
  const stream: Provider['stream'] = async function* (request, call) {
    for await (const event of b.stream(request, call)) {
      yield event.type === 'finish' ? { ...event, model: 'b-2026' } : event
    }
  }
  return { b, provider: fallback([a, { name: 'b', model: 'b', stream }]) }
}

describe.each([
  ['memory', () => ({})],
  ['files', () => ({ path: join(folder, 'deep', 'replies') })],
])('what is kept in %s', (_, optionsOf) => {
  it('is given again, deltas and usage as they were', async () => {
    const inner = played([{ connectMs: 0, says: ['Hi ', 'Bob.'] }])
    const provider = cached(inner, optionsOf())
    const connected = vi.fn()
    const first = await hear(provider, { connected })
    expect(first.finish?.usage).toEqual(USAGE)
    expect(await hear(provider, { connected })).toEqual(first)
    expect(await hear(provider, { connected }, { tools: hello.tools, messages: hello.messages })).toEqual(first)
    expect([inner.requests.length, connected.mock.calls.length]).toEqual([1, 3])
  })

  it('is asked for by everything in the request, and by who is asked', async () => {
    const inner = played([{}])
    const options = optionsOf()
    const tool = { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }
    const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] }) as const
    const requests: readonly ModelRequest[] = [
      hello,
      { ...hello, model: 'other' },
      { ...hello, instructions: 'Rhyme.' },
      { ...hello, maxOutputTokens: 5 },
      { ...hello, tools: [tool] },
      { ...hello, outputSchema: { type: 'object' } },
      { ...hello, messages: [user('Hello!')] },
      { ...hello, messages: [user('Hello\ud800')] },
    ]
    const provider = cached(inner, options)
    for (const request of [...requests, ...requests]) await hear(provider, {}, request)
    expect(inner.requests).toEqual(requests)
    await hear(provider, {}, { ...hello, model: 'played-1' })
    expect(inner.requests).toHaveLength(requests.length)
    for (const named of [{ name: 'other', model: 'played-1' }, { model: 'played-2' }]) {
      const other = played([{}], named)
      await hear(cached(other, options))
      expect(other.requests).toHaveLength(1)
    }
  })

  it('is nothing of a reply that was not whole', async () => {
    const inner = played([{ end: failure('provider.connection') }, { end: 'nothing' }, { says: ['a', 'b'] }, {}])
    const provider = cached(inner, optionsOf())
    await hear(provider)
    await hear(provider)
    for await (const _ of provider.stream(hello)) break
    expect(inner.open).toBe(0)
    await hear(provider)
    await hear(provider)
    expect(inner.requests).toHaveLength(4)
  })

  it('is given to nobody who has left', async () => {
    const provider = cached(played([{ says: ['a', 'b'] }]), optionsOf())
    await hear(provider)
    const reason = new Error('over')
    expect((await hear(provider, { signal: AbortSignal.abort(reason) })).error).toBe(reason)
    const leaving = new AbortController()
    const said: string[] = []
    const work = (async () => {
      for await (const event of provider.stream(hello, { signal: leaving.signal })) {
        said.push(event.type)
        leaving.abort(reason)
      }
    })()
    await expect(work).rejects.toBe(reason)
    expect(said).toEqual(['text-delta'])
  })

  it('shares nothing with whoever got it', async () => {
    const provider = cached(played([{}]), optionsOf())
    for (let call = 0; call < 3; call += 1) {
      const { finish } = await hear(provider)
      expect(finish?.message.content).toEqual([{ type: 'text', text: 'Hi.' }])
      Object.assign(finish?.message.content[0] as object, { text: 'changed' })
    }
  })

  it('of a model among several is kept from who may not use that', async () => {
    const { b, provider } = datedAmongSeveral()
    const kept = cached(provider, optionsOf())
    expect((await hear(kept)).finish?.model).toBe('b-2026')
    const mayUse = vi.fn(() => true)
    expect((await hear(kept, { mayUse })).finish?.model).toBe('b-2026')
    expect(mayUse.mock.calls).toEqual([
      ['a-1', 'a'],
      ['b', 'b'],
    ])
    expect(b.requests).toHaveLength(1)
    const { finish, error } = await hear(kept, { mayUse: (model) => model !== 'b' })
    expect([finish, error]).toEqual([undefined, expect.objectContaining({ code: 'provider.unavailable' })])
  })

  it('of a model among several is given to whoever may use that, whatever it calls itself', async () => {
    const { b, provider } = datedAmongSeveral()
    const kept = cached(cached(provider), optionsOf())
    const mayUse = (model: string) => ['a-1', 'b'].includes(model)
    for (let call = 0; call < 3; call += 1) expect((await hear(kept, { mayUse })).finish?.model).toBe('b-2026')
    expect(b.requests).toHaveLength(1)
    expect((await hear(kept, { mayUse: (model) => model === 'a-1' })).finish).toBeUndefined()
  })

  it('may be asked for twice at once', async () => {
    const inner = played([{}])
    const provider = cached(inner, optionsOf())
    const all = await Promise.all(Array.from({ length: 20 }, () => hear(provider)))
    for (const one of all) expect(one).toEqual(all[0])
    await hear(provider)
    expect(inner.requests.length).toBeLessThanOrEqual(20)
  })

  it('is what was said, whatever that was', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 8 })
    const delta = fc.record({ type: fc.constantFrom('text-delta' as const, 'reasoning-delta' as const), text })
    await fc.assert(
      fc.asyncProperty(fc.array(delta, { maxLength: 5 }), fc.jsonValue(), fc.nat(), async (deltas, input, tokens) => {
        const call = { type: 'tool-call', callId: 'c', name: 'look', input: input as never } as const
        const finish: ModelEvent = {
          ...{ type: 'finish', stopReason: 'tool-calls', model: 'played-1' },
          message: { role: 'assistant', content: [call] },
          usage: { ...USAGE, outputTokens: tokens },
        }
        const events: readonly ModelEvent[] = [...deltas, finish]
        const stream = vi.fn(async function* () {
          yield* structuredClone(events)
        })
        const provider = cached({ name: 'p', model: 'm', stream }, optionsOf())
        const request = { ...hello, instructions: JSON.stringify([deltas, input, tokens]) }
        for (let time = 0; time < 2; time += 1) {
          const heard: ModelEvent[] = []
          for await (const event of provider.stream(request)) heard.push(event)
          expect(JSON.stringify(heard)).toBe(JSON.stringify(events))
        }
        expect(stream).toHaveBeenCalledTimes(1)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a folder of replies', () => {
  it('is one file for each, that another process can use, and nobody else’s user can read', async () => {
    const path = join(folder, 'replies')
    await hear(cached(played([{ says: ['Hi.'] }]), { path }))
    const [name = '', ...others] = await readdir(path)
    expect([name, others]).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/), []])
    expect((await stat(join(path, name))).mode & 0o077).toBe(0)
    const inner = played([{}])
    expect((await hear(cached(inner, { path }))).said).toEqual(['Hi.'])
    expect(inner.requests).toEqual([])
  })

  it('is asked anew where a file cannot be read, and has a whole one then', async () => {
    const path = join(folder, 'replies')
    await hear(cached(played([{}]), { path }))
    const [name = ''] = await readdir(path)
    const whole = await readFile(join(path, name), 'utf8')
    const { events } = JSON.parse(whole) as { readonly events: readonly object[] }
    const replyOf = (some: readonly (object | null)[]) => JSON.stringify({ allowed: [], events: some })
    const odd = [{ type: 'finish' }, { type: 'text-delta', text: 5 }, null]
    const broken = ['', whole.slice(0, -5), '{}', '[]', 'null', replyOf(events.slice(0, -1)), JSON.stringify(events)]
    const others = [undefined, 'a', [5], ['a'], [[]], [['a', null]]].map((allowed) =>
      JSON.stringify({ allowed, events }),
    )
    for (const text of [...broken, ...others, ...odd.map((event) => replyOf([event, ...events.slice(1)]))]) {
      await writeFile(join(path, name), text)
      const inner = played([{}])
      expect(await hear(cached(inner, { path }))).toMatchObject({ said: ['Hi.'], error: undefined })
      expect(inner.requests).toHaveLength(1)
      expect(await readFile(join(path, name), 'utf8')).toBe(whole)
    }
  })

  it('that cannot be written costs nobody a reply', async () => {
    const path = join(folder, 'a-file')
    await writeFile(path, '')
    const inner = played([{}])
    const provider = cached(inner, { path })
    for (let call = 0; call < 2; call += 1) expect((await hear(provider)).error).toBeUndefined()
    expect(inner.requests).toHaveLength(2)
  })

  it('must have a name', () => {
    expect(() => cached(played([]), { path: '' })).toThrow('"path"')
    expect(() => cached(played([]), { folder: 'x' } as never)).toThrow('"folder"')
    expect(() => cached(undefined as never)).toThrow('"provider"')
  })
})
