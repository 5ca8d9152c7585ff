import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure, hear, hello, type Play, played } from '../../test/played-provider.ts'
import { type ErrorCode, isOrraError } from '../errors.ts'
import type { ModelLimits, ModelRequest } from '../provider.ts'
import { dynamicProvider } from './dynamic-provider.ts'
import { type FallbackOptions, fallback } from './fallback.ts'
import { retry } from './retry.ts'

const failing = (code: ErrorCode, says: readonly string[] = []): Play => ({ says, end: failure(code) })

/** What three providers are asked, of which each does one thing. */
function three(plays: readonly Play[], options: FallbackOptions = {}) {
  const inner = ['a', 'b', 'c'].map((name, index) => played([plays[index] ?? {}], { name }))
  const asked = () => inner.map(({ requests }) => requests.length)
  return { inner, asked, provider: fallback(inner, options) }
}

describe('a fallback', () => {
  it('asks the first, and nobody else while it answers', async () => {
    const { asked, provider } = three([])
    expect(await hear(provider)).toMatchObject({ said: ['Hi.'], finish: { provider: 'a', model: 'a-1' } })
    expect(asked()).toEqual([1, 0, 0])
  })

  it.each([
    'provider.rate-limited',
    'provider.unavailable',
    'provider.connection',
    'provider.timeout',
    'provider.auth',
    'provider.unknown-model',
    'provider.unconfigured',
    'provider.bad-reply',
    'provider.denied',
  ] as const)('asks the next after %s', async (code) => {
    const { asked, provider } = three([failing(code)])
    expect(await hear(provider)).toMatchObject({ said: ['Hi.'], finish: { provider: 'b', model: 'b-1' } })
    expect(asked()).toEqual([1, 1, 0])
  })

  it('asks the next after a stream without an end', async () => {
    expect(await hear(three([{ says: [], end: 'nothing' }]).provider)).toMatchObject({ finish: { provider: 'b' } })
  })

  it.each<[string, Play]>([
    ['a bad request', failing('provider.bad-request')],
    ['a request that is too long', failing('provider.context-too-long')],
    ['what is no error of orra’s', { says: [], end: new TypeError('x') }],
    ['a reply that breaks off', failing('provider.unavailable', ['Hi '])],
  ])('throws %s as it is', async (_, play) => {
    const { asked, provider } = three([play])
    const { error, said } = await hear(provider)
    expect([error, said]).toEqual([play.end, play.says])
    expect(asked()).toEqual([1, 0, 0])
  })

  it('goes by the codes it is given', async () => {
    const bad = failing('provider.bad-request')
    expect(await hear(three([bad], { on: ['provider.bad-request'] }).provider)).toMatchObject({
      finish: { provider: 'b' },
    })
    expect(await hear(three([failing('provider.auth')], { on: [] }).provider)).toMatchObject({
      error: { code: 'provider.auth' },
    })
  })

  it('says what was said again where that is wanted, and only then', async () => {
    const { provider } = three([failing('provider.connection', ['Hi '])], { afterDelta: true })
    expect(await hear(provider)).toMatchObject({ said: ['Hi ', 'Hi.'], finish: { provider: 'b' } })
  })

  it('asks nobody once a reply is whole, whatever comes of its provider then', async () => {
    const error = failure('provider.connection')
    const a = played([{}], { name: 'a' })
    async function* stream(request: ModelRequest) {
      try {
        yield* a.stream(request)
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: a provider that cannot even close its connection
        throw error
      }
    }
    const b = played([{}], { name: 'b' })
    const outcome = await hear(fallback([{ ...a, stream }, b], { afterDelta: true }))
    expect(outcome).toMatchObject({ said: ['Hi.'], finish: { provider: 'a' }, error })
    expect(b.requests).toEqual([])
  })

  it('tells once that it has connected', async () => {
    const { provider } = three([{ connectMs: 0, ...failing('provider.auth') }, { connectMs: 0 }])
    const connected = vi.fn()
    await hear(provider, { connected })
    expect(connected).toHaveBeenCalledOnce()
  })

  it('throws the last error, and knows all of them', async () => {
    const plays = [
      failing('provider.rate-limited'),
      failing('provider.unavailable'),
      { says: [], end: failure('provider.auth', { status: 401 }) },
    ]
    const { error } = await hear(three(plays).provider)
    expect(error).toMatchObject({ code: 'provider.auth', details: { status: 401 }, retryable: true })
    expect((error as Error).cause).toMatchObject({ errors: plays.map(({ end }) => end) })
    const one = failure('provider.auth')
    expect((await hear(fallback([played([{ says: [], end: one }])]))).error).toBe(one)
    const odd = await hear(three([failing('provider.auth'), { says: [], end: new TypeError('x') }]).provider)
    expect(odd.error).toMatchObject({ code: 'unknown', retryable: false })
  })

  it('asks the first for the model that a request names, and the others for their own', async () => {
    const { inner, provider } = three([failing('provider.unknown-model'), failing('provider.auth')])
    const request = { ...hello, model: 'a-2' }
    expect((await hear(provider, {}, request)).finish?.model).toBe('c-1')
    const others = ['b-1', 'c-1'].map((model) => [{ ...hello, model }])
    expect(inner.map(({ requests }) => requests)).toEqual([[request], ...others])
  })

  it('leaves out whose model may not be used', async () => {
    const denies =
      (...models: string[]) =>
      (model: string) =>
        !models.includes(model)
    const first = three([])
    expect(await hear(first.provider, { mayUse: denies('a-1', 'b-1') })).toMatchObject({ finish: { provider: 'c' } })
    expect(first.asked()).toEqual([0, 0, 1])
    const named = three([failing('provider.auth')])
    await hear(named.provider, { mayUse: denies('a-1', 'b-1') }, { ...hello, model: 'a-2' })
    expect(named.asked()).toEqual([1, 0, 1])
    const none = three([])
    const { error } = await hear(none.provider, { mayUse: () => false })
    expect(error).toMatchObject({ code: 'provider.denied', details: { models: ['a-1', 'b-1', 'c-1'] } })
    expect(none.asked()).toEqual([0, 0, 0])
    const alone = await hear(three([failing('provider.auth')]).provider, { mayUse: denies('b-1', 'c-1') })
    expect(alone.error).toMatchObject({ code: 'provider.auth' })
    expect((alone.error as Error).cause).toBeUndefined()
  })

  it('asks by the provider’s name, too', async () => {
    const { provider } = three([failing('provider.auth'), failing('provider.auth')])
    const mayUse = vi.fn(() => true)
    await hear(provider, { mayUse })
    expect(mayUse.mock.calls).toEqual([
      ['a-1', 'a'],
      ['b-1', 'b'],
      ['c-1', 'c'],
    ])
  })

  it('asks for the model that was allowed, though another provider may be in use by then', async () => {
    const c = played([{}], { name: 'c' })
    const swapped = dynamicProvider(played([failing('provider.rate-limited')], { name: 'b' }))
    const again = retry(swapped, { sleep: async () => swapped.use(c) })
    const provider = fallback([played([failing('provider.auth')], { name: 'a' }), again])
    await hear(provider, { mayUse: (model) => model !== 'c-1' })
    expect(c.requests.map(({ model }) => model)).toEqual(['b-1'])
    const first = dynamicProvider(played([failing('provider.rate-limited')], { name: 'a' }))
    const d = played([{}], { name: 'd' })
    await hear(fallback([retry(first, { sleep: async () => first.use(d) })]), { mayUse: (model) => model !== 'd-1' })
    expect(d.requests.map(({ model }) => model)).toEqual(['a-1'])
  })

  it('tells a fallback in a fallback what may be used, and who of it answered', async () => {
    const [c, d] = [played([failing('provider.auth')], { name: 'c' }), played([{}], { name: 'd' })]
    const e = played([{}], { name: 'e' })
    const provider = fallback([played([failing('provider.unavailable')], { name: 'a' }), fallback([c, d]), e])
    expect(await hear(provider)).toMatchObject({ finish: { provider: 'd', model: 'd-1' } })
    const mayUse = (model: string) => model !== 'd-1'
    expect(await hear(provider, { mayUse })).toMatchObject({ finish: { provider: 'e' } })
    expect([c.requests.length, d.requests.length]).toEqual([2, 1])
  })

  it('says of itself what the first is, and what fits all', () => {
    const small = { contextWindow: 8000, maxOutputTokens: 4000 }
    const large = { contextWindow: 100_000, maxOutputTokens: 1000 }
    const withLimits = (name: string, limits?: ModelLimits) => played([], { name, ...(limits ? { limits } : {}) })
    const provider = fallback([withLimits('a', large), withLimits('b'), withLimits('c', small)])
    expect([provider.name, provider.model]).toEqual(['a', 'a-1'])
    expect(provider.limits).toEqual({ contextWindow: 8000, maxOutputTokens: 1000 })
    expect(fallback([played([])]).limits).toBeUndefined()
    const image = { type: 'image', mediaType: 'image/png', data: '' } as const
    const models: string[] = []
    const costing = (name: string, tokens: number | undefined) => ({
      ...played([], { name }),
      mediaTokens: (_: unknown, model: string) => {
        models.push(model)
        return tokens
      },
    })
    const media = fallback([costing('a', 5), costing('b', undefined), costing('c', 9), played([])])
    expect(media.mediaTokens?.(image, 'a-2')).toBe(9)
    expect(models).toEqual(['a-2', 'b-1', 'c-1'])
    expect(provider.mediaTokens?.(image, 'a-1')).toBeUndefined()
  })

  it('refuses options that cannot be', () => {
    expect(() => fallback([])).toThrow('"providers"')
    expect(() => fallback(played([]) as never)).toThrow('"providers"')
    expect(() => fallback([{} as never])).toThrow('"provider"')
    expect(() => fallback([played([])], { on: ['auth'] as never })).toThrow('"on"')
    expect(() => fallback([played([])], { on: 'provider.auth' as never })).toThrow('"on"')
    expect(() => fallback([played([])], { afterDelta: 1 as never })).toThrow('"afterDelta"')
    expect(() => fallback([played([])], { after: true } as never)).toThrow('"after"')
  })
})

describe('whatever happens, a fallback', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const play = fc.record({
    says: fc.array(fc.oneof(fc.constantFrom('x', 'y'), fc.integer({ min: 0, max: 50 })), { maxLength: 3 }),
    end: fc.constantFrom<NonNullable<Play['end']>>(
      'finish',
      'nothing',
      failure('provider.unavailable'),
      failure('provider.bad-request'),
    ),
  })
  const textsOf = ({ says }: Play) => says?.filter((part) => typeof part === 'string') ?? []
  const goesOn = ({ end }: Play) =>
    end === 'nothing' || (end instanceof Error && !isOrraError(end, 'provider.bad-request'))

  it('asks in order, says nothing twice, and leaves nothing behind', async () => {
    const plays = fc.array(play, { minLength: 3, maxLength: 3 })
    const allowed = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })
    const leave = fc.option(fc.nat(120))
    await fc.assert(
      fc.asyncProperty(plays, allowed, fc.boolean(), leave, async (scripts, may, afterDelta, leaveMs) => {
        const { inner, asked, provider } = three(scripts, { afterDelta })
        const leaving = new AbortController()
        const reason = new Error('left')
        const leaver = leaveMs === null ? undefined : setTimeout(() => leaving.abort(reason), leaveMs)
        const mayUse = (model: string) => may[['a-1', 'b-1', 'c-1'].indexOf(model)] === true
        const ending = hear(provider, { signal: leaving.signal, mayUse }).then((outcome) => ({
          ...outcome,
          wasLeft: leaving.signal.aborted,
        }))
        await vi.advanceTimersByTimeAsync(1000)
        const { said, finish, error, wasLeft } = await ending
        clearTimeout(leaver)

        const expected: string[] = []
        const expectedAsked = [0, 0, 0]
        let answered: string | undefined
        for (const [index, script] of scripts.entries()) {
          if (!may[index]) continue
          expectedAsked[index] = 1
          expected.push(...textsOf(script))
          if (script.end === 'finish') answered = inner[index]?.name
          if (!goesOn(script) || (textsOf(script).length > 0 && !afterDelta)) break
        }
        if (wasLeft && !finish) {
          expect(error).toBe(reason)
          expect(said).toEqual(expected.slice(0, said.length))
        } else {
          expect([said, asked(), finish?.provider]).toEqual([expected, expectedAsked, answered])
          expect(error === undefined).toBe(answered !== undefined)
          if (!may.includes(true)) expect(error).toMatchObject({ code: 'provider.denied' })
        }
        expect(inner.map(({ open }) => open)).toEqual([0, 0, 0])
        expect(vi.getTimerCount()).toBe(0)
        expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
