import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure, hear, hello, type Play, played } from '../../test/played-provider.ts'
import { type RetryOptions, retry } from './retry.ts'

const busy = failure('provider.unavailable')
const down: Play = { says: [], end: busy }
const up: Play = { says: ['Hi ', 'Bob.'] }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A provider that is tried again, and how long was waited before each try. */
function tried(plays: readonly Play[], options: RetryOptions = {}) {
  const inner = played(plays)
  const waits: number[] = []
  const sleep = async (ms: number) => void waits.push(ms)
  return { inner, waits, provider: retry(inner, { sleep, random: () => 1, ...options }) }
}

describe('a retry', () => {
  it('makes the same call again until it is answered, waiting longer each time', async () => {
    const { inner, waits, provider } = tried([down, down, down, up], { maxRetries: 3, maxMs: 1500 })
    const outcome = await hear(provider)
    expect([outcome.said, outcome.error, waits]).toEqual([['Hi ', 'Bob.'], undefined, [500, 1000, 1500]])
    expect(inner.requests).toEqual([hello, hello, hello, hello])
  })

  it('throws the last error as it is when nothing helps', async () => {
    const errors = [busy, failure('provider.connection'), failure('provider.timeout'), busy]
    const { inner, provider } = tried(errors.map((end) => ({ says: [], end })))
    expect((await hear(provider)).error).toBe(errors[2])
    expect(inner.requests).toHaveLength(3)
  })

  it('waits at random', async () => {
    const randoms = [0, 0.25, 0.5]
    const { waits, provider } = tried([down, down, down, up], { maxRetries: 3, random: () => randoms.shift() ?? 0 })
    await hear(provider)
    expect(waits).toEqual([0, 250, 1000])
  })

  it('waits as long as the provider asks for, and gives up at once where that is too long', async () => {
    const limited = (retryAfterMs: number): Play => ({
      says: [],
      end: failure('provider.rate-limited', { retryAfterMs }),
    })
    const { inner, waits, provider } = tried([limited(3000), limited(19_900), limited(20_001), up], { maxRetries: 5 })
    expect((await hear(provider)).error).toMatchObject({ details: { retryAfterMs: 20_001 } })
    expect([waits, inner.requests.length]).toEqual([[3500, 20_000], 3])
    const odd = tried([limited(Number.NaN), limited(-5), up])
    await hear(odd.provider)
    expect(odd.waits).toEqual([500, 1000])
  })

  it.each([
    ['an error that stays', { says: [], end: failure('provider.auth') }],
    ['what is no error of orra’s', { says: [], end: new TypeError('x') }],
    ['a reply without an end', { says: [], end: 'nothing' }],
    ['a reply that breaks off', { says: ['Hi '], end: busy }],
  ] satisfies [string, Play][])('does not make a call again after %s', async (_, play) => {
    const { inner, provider } = tried([play, up])
    const outcome = await hear(provider)
    expect(outcome.error).toBeInstanceOf(Error)
    expect(outcome.said).toEqual(play.says)
    expect(inner.requests).toHaveLength(1)
  })

  it('has a budget for all calls, which replies fill again', async () => {
    const plays = [down, up]
    const options = { budget: { retries: 2, perReply: 0.5 }, maxRetries: 5 }
    const out = tried([down], options)
    await hear(out.provider)
    await hear(out.provider)
    expect(out.inner.requests).toHaveLength(4)
    const both = tried([...plays, ...plays, ...plays, ...plays, up, down, up], options)
    const errors: unknown[] = []
    for (let call = 0; call < 6; call += 1) errors.push((await hear(both.provider)).error)
    // Each of the first ones takes one and earns a half.
    expect(errors).toEqual([undefined, undefined, undefined, busy, undefined, undefined])
  })

  it('holds no more than its budget in an outage, however many call', async () => {
    const { inner, provider } = tried([down])
    await Promise.all(Array.from({ length: 1000 }, () => hear(provider)))
    expect(inner.requests).toHaveLength(1010)
  })

  it('saves nothing up beyond its budget', async () => {
    const { inner, provider } = tried([up, up, up, up, down], { budget: { retries: 1, perReply: 1 } })
    for (let call = 0; call < 5; call += 1) await hear(provider)
    expect(inner.requests).toHaveLength(6)
  })

  it('throws the signal’s reason where the provider fails otherwise once that aborts', async () => {
    const leaving = new AbortController()
    const reason = new Error('over')
    const inner = played([{ says: [100], end: failure('provider.connection') }], { isDeaf: true })
    const ending = hear(retry(inner, { maxRetries: 0 }), { signal: leaving.signal })
    leaving.abort(reason)
    await vi.advanceTimersByTimeAsync(100)
    expect((await ending).error).toBe(reason)
  })

  it('ends its wait as soon as the signal aborts', async () => {
    const inner = played([down])
    const leaving = new AbortController()
    const reason = new Error('over')
    const ending = hear(retry(inner, { random: () => 1 }), { signal: leaving.signal })
    await vi.advanceTimersByTimeAsync(100)
    expect(vi.getTimerCount()).toBe(1)
    leaving.abort(reason)
    expect((await ending).error).toBe(reason)
    expect([vi.getTimerCount(), inner.requests.length]).toEqual([0, 1])
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
  })

  it('tells once that it has connected, and hands on what it was given', async () => {
    const { inner, provider } = tried([
      { ...down, connectMs: 0 },
      { ...up, connectMs: 0 },
    ])
    const connected = vi.fn()
    const mayUse = () => true
    const ending = hear(provider, { connected, mayUse })
    await vi.advanceTimersByTimeAsync(10)
    await ending
    expect(connected).toHaveBeenCalledOnce()
    expect(inner.calls.map((call) => call.mayUse)).toEqual([mayUse, mayUse])
  })

  it('refuses options that cannot be', () => {
    const wrong: readonly [string, object][] = [
      ['maxRetries', { maxRetries: -1 }],
      ['maxRetries', { maxRetries: 1.5 }],
      ['baseMs', { baseMs: Number.NaN }],
      ['maxMs', { maxMs: Number.POSITIVE_INFINITY }],
      ['retries', { budget: { retries: -1 } }],
      ['perReply', { budget: { perReply: 'all' } }],
      ['perCall', { budget: { perCall: 1 } }],
      ['random', { random: 5 }],
      ['sleep', { sleep: 5 }],
      ['retries', { retries: 5 }],
    ]
    for (const [option, options] of wrong) expect(() => retry(played([]), options)).toThrow(`"${option}"`)
    expect(() => retry(undefined as never)).toThrow('"provider"')
  })

  it('says nothing twice and asks no more than it may, whatever happens', async () => {
    const ends = [
      busy,
      failure('provider.rate-limited', { retryAfterMs: 40 }),
      failure('provider.bad-request'),
    ] as const
    const play = fc.record({
      says: fc.array(fc.oneof(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 50 })), { maxLength: 3 }),
      end: fc.constantFrom<NonNullable<Play['end']>>('finish', 'nothing', ...ends),
    })
    const options = fc.record({
      maxRetries: fc.nat(4),
      baseMs: fc.nat(100),
      maxMs: fc.nat(200),
      budget: fc.record({ retries: fc.nat(5), perReply: fc.constantFrom(0, 0.5, 1) }),
    })
    const plays = fc.array(play, { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(plays, options, fc.option(fc.nat(300)), async (scripts, chosen, leaveMs) => {
        const inner = played(scripts)
        const leaving = new AbortController()
        const reason = new Error('left')
        const leaver = leaveMs === null ? undefined : setTimeout(() => leaving.abort(reason), leaveMs)
        const ending = hear(retry(inner, chosen), { signal: leaving.signal }).then((outcome) => ({
          ...outcome,
          wasLeft: leaving.signal.aborted,
        }))
        await vi.advanceTimersByTimeAsync(5000)
        const { said, finish, error, wasLeft } = await ending
        clearTimeout(leaver)
        const asked = inner.requests.length
        expect(asked).toBeLessThanOrEqual(1 + Math.min(chosen.maxRetries, chosen.budget.retries))
        const last = scripts[Math.min(asked, scripts.length) - 1]
        const texts = (last?.says ?? []).filter((part) => typeof part === 'string')
        // Of all the tries before nothing was said, and what was said is the beginning of the last one.
        for (const script of scripts.slice(0, asked - 1)) {
          expect(script.says.some((part) => typeof part === 'string')).toBe(false)
        }
        expect(said).toEqual(texts.slice(0, said.length))
        if (finish) expect([said, error]).toEqual([texts, undefined])
        else if (wasLeft) expect(error).toBe(reason)
        else if (last?.end === 'nothing') expect(error).toMatchObject({ code: 'provider.bad-reply' })
        else expect(error).toBe(last?.end)
        expect([inner.open, vi.getTimerCount()]).toEqual([0, 0])
        expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
