import { getEventListeners } from 'node:events'
import {
  cached,
  createRuntime,
  defineTool,
  dynamicProvider,
  fallback,
  type MessageEntry,
  type ModelCallOptions,
  memoryStore,
  Namespace,
  type Prices,
  type Provider,
  retry,
  textOf,
  timeout,
  toolCallsOf,
} from '@orra/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { alice, bob } from './harness.ts'
import { failure, hear, hello, type Play, played } from './played-provider.ts'

const acme = Namespace.of('tenant', 'acme')
const eve = Namespace.of('tenant', 'big', 'user', 'eve')
const image = { type: 'image', mediaType: 'image/png', data: '' } as const
const down: Play = { says: [], end: failure('provider.unavailable', { status: 529 }) }
const sleep = async () => {}

const WRAPPERS: { readonly [name: string]: (provider: Provider) => Provider } = {
  dynamicProvider,
  fallback: (provider) => fallback([provider]),
  retry: (provider) => retry(provider, { sleep }),
  timeout: (provider) => timeout(provider, { connectMs: 5000, totalMs: 5000 }),
  cached: (provider) => cached(provider),
}

afterEach(() => {
  vi.useRealTimers()
})

describe.each(Object.entries(WRAPPERS))('%s', (_, wrap) => {
  it('says of itself what its provider says, also when that changes', () => {
    const inner = dynamicProvider(played([], { name: 'a' }))
    const provider = wrap(inner)
    expect([provider.name, provider.model, provider.limits]).toEqual(['a', 'a-1', undefined])
    const limits = { contextWindow: 8000, maxOutputTokens: 1000 }
    inner.use({ ...played([], { name: 'b', limits }), mediaTokens: () => 7 })
    expect([provider.name, provider.model, provider.limits]).toEqual(['b', 'b-1', limits])
    expect(provider.mediaTokens?.(image, 'b-1')).toBe(7)
  })

  it('hands on the request, and all that the caller gave', async () => {
    const inner = played([{ connectMs: 0 }])
    const leaving = new AbortController()
    const call = { signal: leaving.signal, connected: vi.fn(), mayUse: (model: string) => model === 'x' }
    const request = { ...hello, model: 'x', instructions: 'Rhyme.', outputSchema: { type: 'object' } }
    expect(await hear(wrap(inner), call, request)).toMatchObject({ said: ['Hi.'], error: undefined })
    expect(inner.requests).toEqual([request])
    expect(call.connected).toHaveBeenCalledOnce()
    expect(['x', 'y'].map((model) => inner.calls[0]?.mayUse?.(model))).toEqual([true, false])
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
  })

  it('closes its provider when it is left early', async () => {
    vi.useFakeTimers()
    const inner = played([{ says: ['a', 'b'] }])
    for await (const event of wrap(inner).stream(hello)) {
      expect([event.type, inner.open]).toEqual(['text-delta', 1])
      break
    }
    expect([inner.requests.length, inner.open, vi.getTimerCount()]).toEqual([1, 0, 0])
  })

  it('throws the caller’s reason, and asks nobody once that has left', async () => {
    const inner = played([{ says: ['a'], end: 'stall' }])
    const leaving = new AbortController()
    const reason = new Error('over')
    const ending = hear(wrap(inner), { signal: leaving.signal })
    await vi.waitFor(() => expect(inner.open).toBe(1))
    await new Promise(setImmediate)
    leaving.abort(reason)
    expect(await ending).toMatchObject({ said: ['a'], error: reason })
    expect((await hear(wrap(inner), { signal: leaving.signal })).error).toBe(reason)
    expect([inner.requests.length, inner.open]).toEqual([1, 0])
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
  })
})

describe('wrappers around wrappers', () => {
  it('say what the provider says, in whatever order they stand', async () => {
    const order = fc.array(fc.constantFrom(...Object.values(WRAPPERS)), { maxLength: 6 })
    const says = fc.array(fc.constantFrom('a', 'b'), { maxLength: 4 })
    const end = fc.constantFrom<NonNullable<Play['end']>>('finish', failure('provider.bad-request'))
    await fc.assert(
      fc.asyncProperty(order, says, end, fc.nat(4), async (wraps, script, ending, most) => {
        const bare = played([{ connectMs: 0, says: script, end: ending }])
        const expected = await hear(bare)
        const inner = played([{ connectMs: 0, says: script, end: ending }])
        const provider = wraps.reduce((wrapped, wrap) => wrap(wrapped), inner as Provider)
        const leaving = new AbortController()
        const call: ModelCallOptions = { signal: leaving.signal, connected: vi.fn(), mayUse: () => true }
        const { said, finish, error } = await hear(provider, call)
        expect([said, error]).toEqual([expected.said, expected.error])
        expect(finish && { ...finish, provider: 'any' }).toEqual(expected.finish && { ...finish, provider: 'any' })
        expect(call.connected).toHaveBeenCalledOnce()
        let seen = 0
        try {
          for await (const _ of provider.stream(hello, { signal: leaving.signal })) if (++seen > most) break
        } catch (thrown) {
          expect(thrown).toBe(ending)
        }
        await new Promise(setImmediate)
        expect(inner.open).toBe(0)
        expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

describe('a fallback of wrapped providers, whatever happens', () => {
  const ends = fc.constantFrom<NonNullable<Play['end']>>(
    ...(['finish', 'finish', 'nothing', 'stall'] as const),
    ...[failure('provider.unavailable'), failure('provider.bad-request'), failure('provider.auth')],
  )
  const scripts = (name: string) =>
    fc.array(
      fc.record({
        connectMs: fc.nat(60),
        says: fc.array(fc.oneof(fc.constantFrom(`${name} `), fc.nat(60)), { maxLength: 4 }),
        end: ends,
      }),
      { minLength: 1, maxLength: 4 },
    )
  /** No two calls say the same. */
  const labelled = (plays: readonly Play[]) =>
    plays.map((play, call) => ({
      ...play,
      says: play.says?.map((part, place) => (typeof part === 'number' ? part : `${part}${call}.${place} `)) ?? [],
    }))

  it('says what one call has said, from its beginning on, and leaves nothing behind', async () => {
    vi.useFakeTimers()
    const limits = fc.record({
      connectMs: fc.integer({ min: 1, max: 100 }),
      betweenTokensMs: fc.integer({ min: 1, max: 100 }),
    })
    const wrapped = [
      (provider: Provider, ms: object) => retry(timeout(provider, ms), { baseMs: 20, maxMs: 50 }),
      (provider: Provider, ms: object) => timeout(retry(dynamicProvider(provider), { baseMs: 20 }), ms),
      (provider: Provider, ms: object) => dynamicProvider(fallback([timeout(provider, ms)])),
    ]
    await fc.assert(
      fc.asyncProperty(
        ...([
          scripts('a'),
          scripts('b'),
          fc.constantFrom(...wrapped),
          limits,
          fc.option(fc.nat(200)),
          fc.nat(6),
        ] as const),
        async (first, second, wrap, ms, leaveMs, most) => {
          const [a, b] = [played(labelled(first), { name: 'a' }), played(labelled(second), { name: 'b' })]
          const provider = fallback([wrap(a, { ...ms, totalMs: 400 }), wrap(b, { ...ms, totalMs: 400 })])
          const leaving = new AbortController()
          const reason = new Error('left')
          const leaver = leaveMs === null ? undefined : setTimeout(() => leaving.abort(reason), leaveMs)
          const connected = vi.fn()
          const said: string[] = []
          let end: { readonly text: string; readonly by: string | undefined } | 'broken off' | 'left' | undefined
          const work = (async () => {
            try {
              for await (const event of provider.stream(hello, { signal: leaving.signal, connected })) {
                if (event.type === 'finish') end = { text: textOf(event.message.content), by: event.provider }
                else if (said.push(event.text) > most) break
              }
            } catch (error) {
              end = error === reason ? 'left' : 'broken off'
            }
          })()
          await vi.advanceTimersByTimeAsync(5000)
          await work
          clearTimeout(leaver)
          const calls = [...labelled(first), ...labelled(second)]
          const texts = calls.map(({ says }) => says.filter((part) => typeof part === 'string'))
          expect(texts.some((all) => said.every((text, place) => all[place] === text))).toBe(true)
          if (typeof end === 'object') expect([end.text, end.by]).toEqual([said.join(''), said[0]?.[0] ?? end.by])
          else if (end === undefined) expect(said.length).toBe(most + 1)
          expect(connected.mock.calls.length).toBeLessThanOrEqual(1)
          expect([a.open, b.open, vi.getTimerCount()]).toEqual([0, 0, 0])
          expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** A provider that is retried and cut off, and another that is asked when that does not help. */
function chain(first: readonly Play[], second: readonly Play[] = [{ says: ['From b.'] }]) {
  const [a, b] = [played(first, { name: 'a' }), played(second, { name: 'b' })]
  const provider = fallback([retry(timeout(a, { firstTokenMs: 20 }), { sleep }), b])
  return { a, b, provider }
}

async function repliesOf(orra: ReturnType<typeof createRuntime>, namespace = bob) {
  const replies: Omit<MessageEntry, 'type' | 'context'>[] = []
  for await (const { entry } of orra.session(namespace).entries()) {
    if (entry.type === 'message' && entry.message.role === 'assistant') replies.push(entry)
  }
  return replies.map(({ model, asked, provider }) => ({ model, asked, provider }))
}

describe('a runtime with fallback([retry(timeout(a)), b])', () => {
  it('is answered by a while that works, also after a try that failed or stalled', async () => {
    const { a, b, provider } = chain([down, { end: 'stall', says: [] }, { says: ['From a.'] }])
    await using orra = createRuntime({ provider })
    expect((await orra.run(bob, 'Hello')).text).toBe('From a.')
    expect([a.requests.length, b.requests.length, a.open]).toEqual([3, 0, 0])
    expect(await repliesOf(orra)).toEqual([{ model: 'a-1', asked: undefined, provider: 'a' }])
  })

  it('is answered by b once a has failed as often as it may', async () => {
    const { a, b, provider } = chain([down])
    await using orra = createRuntime({ provider })
    const { text, reason } = await orra.run(bob, 'Hello')
    expect([text, reason]).toEqual(['From b.', 'completed'])
    expect([a.requests.length, b.requests.map(({ model }) => model)]).toEqual([3, ['b-1']])
    expect(await repliesOf(orra)).toEqual([{ model: 'b-1', asked: 'a-1', provider: 'b' }])
  })

  it('tells hooks and listeners who answered, and keeps that in what is exported', async () => {
    const heard = vi.fn()
    const { provider } = chain([down])
    await using orra = createRuntime({ provider, hooks: [{ afterModelCall: (event) => void heard(event.provider) }] })
    const ended: unknown[] = []
    for await (const event of orra.stream(bob, 'Hello')) {
      if (event.type === 'model-call-end') ended.push(event.provider)
    }
    expect([heard.mock.calls, ended]).toEqual([[['b']], ['b']])
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    await orra.session(alice).import(lines)
    expect(await repliesOf(orra, alice)).toEqual(await repliesOf(orra))
    const odd = lines.map((line) => line.replace('"provider":"b"', '"provider":5'))
    await expect(orra.session(eve).import(odd)).rejects.toMatchObject({ code: 'import.invalid' })
  })

  it('fails where a provider says something else than a name', async () => {
    const inner = played([{}])
    const stream: Provider['stream'] = async function* (request) {
      for await (const event of inner.stream(request)) yield { ...event, provider: 5 } as never
    }
    await using orra = createRuntime({ provider: { ...inner, stream } })
    await expect(orra.run(bob, 'Hello')).rejects.toMatchObject({ code: 'provider.bad-reply' })
  })

  it('asks b for nobody whose policies deny its model', async () => {
    const { b, provider } = chain([down])
    await using orra = createRuntime({ provider, policies: { 'tenant:acme': { models: { deny: ['b-*'] } } } })
    await expect(orra.run(bob, 'Hello')).rejects.toMatchObject({ code: 'provider.unavailable' })
    expect(b.requests).toEqual([])
    expect((await orra.run(eve, 'Hello')).text).toBe('From b.')
  })

  it('asks nobody for whom policies deny the model that was asked for', async () => {
    const { a, b, provider } = chain([{}])
    await using orra = createRuntime({ provider, policies: { 'tenant:acme': { models: { deny: ['a-*'] } } } })
    expect(await orra.run(bob, 'Hello')).toMatchObject({ reason: 'denied' })
    expect([a.requests, b.requests]).toEqual([[], []])
  })

  it('ends at once when the caller leaves while a stalls or is waited for', async () => {
    const a = played([down])
    const provider = fallback([retry(a, { baseMs: 20_000, random: () => 1 }), played([{}])])
    await using orra = createRuntime({ provider })
    const leaving = new AbortController()
    const ending = orra.run(bob, 'Hello', { signal: leaving.signal })
    await vi.waitFor(() => expect(a.requests).toHaveLength(1))
    leaving.abort()
    expect(await ending).toMatchObject({ reason: 'aborted' })
    expect(a.open).toBe(0)
  })
})

describe('what is paid', () => {
  const PRICES: { readonly [provider: string]: number } = { a: 1, b: 100 }
  const prices = vi.fn(({ provider, usage }: { provider: string; usage: { inputTokens: number } }) => {
    const price = PRICES[provider]
    return price === undefined ? undefined : price * usage.inputTokens
  })

  it('is the price of the provider that answered, in the book and at every limit', async () => {
    const store = memoryStore()
    const { provider } = chain([down])
    const policies = { 'tenant:*': { limits: { usdPerDay: 1e6 } } }
    const falling: Prices = ({ provider: by, usage }) => usage.inputTokens * (by === 'a' ? 10 : 5)
    await using orra = createRuntime({ provider, store, prices: falling, policies })
    await orra.run(bob, 'Hello')
    expect(await orra.usage(acme, 'day')).toMatchObject({
      usd: 50,
      unpricedCalls: 0,
      models: { 'b-1': { calls: 1 } },
    })
    const { items } = await store.counters.list({ within: acme })
    expect(items.find(({ counter }) => counter === 'usd')).toMatchObject({ used: 50e6, reserved: 0 })
  })

  it.each<[string, Prices, string]>([
    [
      'of which nobody knows what it costs',
      ({ model }) => (model === 'a-1' ? 1e-6 : undefined),
      'Nobody knows what the model b-1 costs',
    ],
    [
      'that may cost more than is reserved',
      ({ provider }) => (provider === 'b' ? 1e-4 : 1e-6),
      'The model b-1 may cost more',
    ],
  ])('goes to no model %s, where money is limited', async (_, known, why) => {
    const { b, provider } = chain([down])
    const policies = { 'tenant:acme': { limits: { usdPerDay: 0.5 } } }
    await using orra = createRuntime({ provider, prices: known, policies })
    for (let run = 0; run < 3; run += 1) {
      const failing = orra.run(bob, 'Hello')
      await expect(failing).rejects.toMatchObject({
        code: 'provider.unavailable',
        message: expect.stringContaining(why),
      })
    }
    expect(b.requests).toEqual([])
    expect((await orra.run(eve, 'Hello')).text).toBe('From b.')
  })

  it('may go to another model under a limit of tokens alone, or where it costs no more', async () => {
    for (const limits of [{ tokensPerDay: 1e6 }, { usdPerDay: 1 }]) {
      const { provider } = chain([down])
      const policies = { '*': { limits } }
      const known = limits.usdPerDay === undefined ? {} : { prices: () => 1e-6 }
      await using orra = createRuntime({ provider, policies, ...known })
      expect((await orra.run(bob, 'Hello')).text).toBe('From b.')
    }
  })

  it('goes by the provider that was asked, whoever is in use when the run ends', async () => {
    const dated = (name: string): Provider => {
      const inner = played([{}], { name })
      const stream: Provider['stream'] = async function* (request, call) {
        for await (const event of inner.stream(request, call)) {
          yield event.type === 'finish' ? { ...event, model: `${name}-2026` } : event
        }
      }
      return { ...inner, stream }
    }
    const known: Prices = ({ provider, model }) => (provider === 'a' && model === 'a-1' ? 0.15 : undefined)
    const provider = dynamicProvider(dated('a'))
    const afterModelCall = () => provider.use(dated('b'))
    await using orra = createRuntime({ provider, prices: known, hooks: [{ afterModelCall }] })
    await orra.run(bob, 'Hello')
    expect(await orra.usage(acme, 'day')).toMatchObject({ usd: 0.15, unpricedCalls: 0 })
    let current = dated('a')
    const live: Provider = {
      get name() {
        return current.name
      },
      get model() {
        return current.model
      },
      stream: (request, call) => current.stream(request, call),
    }
    const swap = () => {
      current = dated('b')
    }
    await using other = createRuntime({ provider: live, prices: known, hooks: [{ afterModelCall: swap }] })
    await other.run(alice, 'Hello')
    expect(await other.usage(acme, 'day')).toMatchObject({ usd: 0.15, unpricedCalls: 0 })
  })

  it('is nothing where nobody was asked', async () => {
    const end = failure('provider.denied')
    await using orra = createRuntime({ provider: played([{ says: [], end }], { name: 'a' }), prices })
    await expect(orra.run(bob, 'Hello')).rejects.toBe(end)
    expect(await orra.usage(acme, 'day')).toMatchObject({ usd: 0, cutOffCalls: 0 })
    const broken = played([{ says: [], end: failure('provider.connection') }], { name: 'a' })
    const several = fallback([broken, played([{ says: [], end }], { name: 'b' })])
    await using asked = createRuntime({ provider: several, prices })
    await expect(asked.run(bob, 'Hello')).rejects.toMatchObject({ code: 'provider.denied' })
    expect(await asked.usage(acme, 'day')).toMatchObject({ cutOffCalls: 1 })
  })

  it('does not make what a fallback counts the measure of the first', async () => {
    const { provider } = chain([down, down, down, {}])
    await using orra = createRuntime({ provider })
    const real: number[] = []
    for (const message of ['Hello '.repeat(20), 'Hello']) {
      for await (const event of orra.stream(bob, message)) {
        if (event.type === 'model-call-start') real.push(event.context.estimatedTokens)
      }
    }
    // The other one claims ten tokens.
    expect(real[1]).toBeGreaterThan(real[0] as number)
  })

  it('is told apart where both call their model the same, in one run and after another process took over', async () => {
    const store = memoryStore()
    const calling: Provider = {
      ...played([], { name: 'a', model: 'm' }),
      async *stream(request) {
        if (request.messages.length > 1) throw failure('provider.unavailable')
        for await (const event of played([{ says: [] }], { model: 'm' }).stream(request)) {
          const call = { type: 'tool-call', callId: 'c', name: 'look', input: {} } as const
          if (event.type !== 'finish') yield event
          else yield { ...event, stopReason: 'tool-calls', message: { role: 'assistant', content: [call] } }
        }
      },
    }
    const b = played([{}], { name: 'b', model: 'm' })
    const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })
    await using orra = createRuntime({ provider: fallback([calling, b]), store, prices, tools: [look] })
    await orra.run(bob, 'Hello')
    expect(b.requests.map(({ messages }) => messages.length)).toEqual([3])
    expect(
      (await orra.session(bob).messages()).flatMap((m) => (m.role === 'assistant' ? toolCallsOf(m) : [])),
    ).toHaveLength(1)
    expect(await orra.usage(acme, 'day')).toMatchObject({ usd: 10 + 1000, models: { m: { calls: 2 } } })
  })

  it('is not the price of the model that was asked for, where another provider answered', async () => {
    const known = ({ model }: { model: string }) => (model === 'a-1' ? 1 : undefined)
    const { provider } = chain([down])
    await using orra = createRuntime({ provider, prices: known })
    await orra.run(bob, 'Hello')
    expect(await orra.usage(acme, 'day')).toMatchObject({ usd: 0, unpricedCalls: 1 })
    const dated = fallback([played([], { name: 'a' })])
    const stream: Provider['stream'] = async function* (request, options) {
      for await (const event of dated.stream(request, options)) {
        yield event.type === 'finish' ? { ...event, model: 'a-1-2026-11-01' } : event
      }
    }
    await using other = createRuntime({ provider: { ...dated, stream }, prices: known })
    await other.run(alice, 'Hello')
    expect(await other.usage(acme, 'day')).toMatchObject({ usd: 1, unpricedCalls: 0 })
  })

  it('of a call that was cut off goes to who it began with, whoever is in use by then', async () => {
    const [a, b] = [played([{ says: ['a'], end: 'stall' }], { name: 'a' }), played([{}], { name: 'b' })]
    const provider = dynamicProvider(b)
    await using orra = createRuntime({ provider, prices })
    await orra.run(bob, 'Hello')
    provider.use(a)
    const leaving = new AbortController()
    const ending = orra.run(bob, 'Hello', { signal: leaving.signal })
    await vi.waitFor(() => expect(a.open).toBe(1))
    provider.use(b)
    prices.mockClear()
    leaving.abort()
    await ending
    await vi.waitFor(async () => expect(await orra.usage(acme, 'day')).toMatchObject({ cutOffCalls: 1 }))
    const lost = prices.mock.calls.map(([call]) => call).filter(({ usage }) => usage.inputTokens !== 10)
    expect(lost.map((call) => call.provider)).not.toContain('b')
    expect(lost.length).toBeGreaterThan(0)
  })

  it('of a summary goes to who wrote it, and whose model is allowed', async () => {
    const says = ['A short summary.']
    for (const denied of [[], ['b-*']]) {
      const long = { says: ['x '.repeat(400)] }
      const [a, b] = [played([long, long, down], { name: 'a' }), played([{ says }], { name: 'b' })]
      const policies = { '*': { models: { deny: denied } } }
      await using orra = createRuntime({ provider: fallback([a, b]), prices, policies })
      for (let run = 0; run < 2; run += 1) await orra.run(bob, 'Hello')
      const compacting = orra.compact(bob)
      if (denied.length > 0) {
        await expect(compacting).rejects.toMatchObject({ code: 'provider.unavailable' })
        expect(b.requests).toEqual([])
        continue
      }
      expect(await compacting).toMatchObject({ summary: says[0] })
      expect(await orra.usage(acme, 'day')).toMatchObject({ usd: 20 + 1000, models: { 'b-1': { calls: 1 } } })
    }
  })
})
