import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure, type Heard, hear, hello, type Play, type PlayedOptions, played } from '../../test/played-provider.ts'
import { isOrraError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import { type TimeoutOptions, timeout } from './timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** What is heard, and when it ended. */
async function heard(play: Play, options: TimeoutOptions, more: PlayedOptions = {}) {
  const inner = played([play], more)
  const start = Date.now()
  let endedAt: number | undefined
  const ending = hear(timeout(inner, options)).finally(() => {
    endedAt = Date.now() - start
  })
  await vi.advanceTimersByTimeAsync(100_000)
  return { ...(await ending), endedAt, inner }
}

function phaseOf({ error }: Heard): string | undefined {
  return isOrraError(error, 'provider.timeout') ? `${error.details.phase} ${error.details.afterMs}` : undefined
}

describe.each([{ isDeaf: false }, { isDeaf: true }])('a timeout of a provider, $isDeaf', (more) => {
  it.each<[string, Play, TimeoutOptions, string, number]>([
    ['that never connects', { connectMs: 90_000 }, { connectMs: 1000 }, 'connect 1000', 1000],
    ['that does not tell, and is silent', { says: [90_000, 'Hi.'] }, { connectMs: 1000 }, 'connect 1000', 1000],
    ['that is silent', { connectMs: 5, says: [9000, 'a'] }, { connectMs: 10, firstTokenMs: 70 }, 'first-token 70', 70],
    ['that stalls', { says: ['a', 40, 'b'], end: 'stall' }, { betweenTokensMs: 50 }, 'between-tokens 50', 90],
    ['that goes on and on', { says: ['a', 40, 'b', 40, 'c', 40] }, { totalMs: 100 }, 'total 100', 100],
  ])('cuts one off %s', async (_, play, options, phase, endedAt) => {
    const outcome = await heard(play, options, more)
    expect([phaseOf(outcome), outcome.endedAt]).toEqual([phase, endedAt])
    expect(outcome.inner.calls[0]?.signal?.aborted).toBe(true)
    expect(outcome.inner.open).toBe(more.isDeaf && play.end === 'stall' ? 1 : 0)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a timeout', () => {
  it('lets those be that are quick enough, in every phase', async () => {
    const play: Play = { connectMs: 9, says: [9, 'a', 9, 'b', 9] }
    const limits = { connectMs: 10, firstTokenMs: 20, betweenTokensMs: 10, totalMs: 40 }
    const outcome = await heard(play, limits)
    expect([outcome.said, outcome.error, outcome.endedAt]).toEqual([['a', 'b'], undefined, 36])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes the first event for a connection where the provider does not tell', async () => {
    const outcome = await heard({ says: [500, 'a', 5000, 'b'] }, { connectMs: 1000 })
    expect([outcome.said, outcome.error]).toEqual([['a', 'b'], undefined])
  })

  it('holds no timer once the last event is there', async () => {
    for await (const event of timeout(played([{}]), { totalMs: 10, betweenTokensMs: 10 }).stream(hello)) {
      expect(vi.getTimerCount()).toBe(event.type === 'finish' ? 0 : 1)
    }
  })

  it('does not count how long whoever listens takes between two deltas', async () => {
    const inner = played([{ says: ['a', 'b'] }])
    const work = (async () => {
      const said: string[] = []
      for await (const event of timeout(inner, { betweenTokensMs: 10, firstTokenMs: 10 }).stream(hello)) {
        said.push(event.type)
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
      return said
    })()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await work).toEqual(['text-delta', 'text-delta', 'finish'])
  })

  it('waits for nothing once the last event is there', async () => {
    for (const ending of [() => new Promise<never>(() => {}), () => Promise.reject(new Error('late'))]) {
      const bare = played([{}])
      const stream: Provider['stream'] = async function* (request) {
        try {
          yield* bare.stream(request)
        } finally {
          await ending()
        }
      }
      expect((await hear(timeout({ ...bare, stream }, {}))).finish).toBeDefined()
      for await (const event of timeout({ ...bare, stream }, {}).stream(hello)) if (event.type === 'finish') break
    }
  })

  it('says what took too long, also where the provider cannot be closed', async () => {
    const stream = () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => {
          throw new Error('It cannot be closed.')
        },
      }),
    })
    const ending = hear(timeout({ name: 'p', model: 'm', stream }, { totalMs: 10 }))
    await vi.advanceTimersByTimeAsync(10)
    expect(phaseOf(await ending)).toBe('total 10')
  })

  it('throws the caller’s reason, whatever the provider does about it', async () => {
    for (const isDeaf of [false, true]) {
      const leaving = new AbortController()
      const inner = played([{ says: ['a'], end: 'stall' }], { isDeaf })
      const ending = hear(timeout(inner, { totalMs: 5000 }), { signal: leaving.signal })
      await vi.advanceTimersByTimeAsync(100)
      const reason = new Error('over')
      leaving.abort(reason)
      expect((await ending).error).toBe(reason)
      expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
      expect(vi.getTimerCount()).toBe(0)
    }
  })

  it('asks nobody when it is too late already', async () => {
    const inner = played([{}])
    const reason = new Error('over')
    expect((await hear(timeout(inner, {}), { signal: AbortSignal.abort(reason) })).error).toBe(reason)
    expect(inner.requests).toEqual([])
  })

  it('leaves errors as they are, and tells on when it has connected', async () => {
    const error = failure('provider.auth')
    const connected = vi.fn()
    const inner = played([{ connectMs: 1, end: error }])
    const ending = hear(timeout(inner, { totalMs: 100 }), { connected })
    await vi.advanceTimersByTimeAsync(10)
    expect((await ending).error).toBe(error)
    expect(connected).toHaveBeenCalledOnce()
  })

  it('refuses what is no time', () => {
    for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5']) {
      expect(() => timeout(played([]), { totalMs: ms as number })).toThrow('"totalMs"')
    }
    expect(() => timeout(played([]), { total: 5 } as TimeoutOptions)).toThrow('"total"')
    expect(() => timeout({} as never, {})).toThrow('"provider"')
  })

  it('leaves nothing behind, whatever comes when, and ends in time', async () => {
    const limit = fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined })
    const play = fc.record({
      connectMs: fc.integer({ min: 0, max: 100 }),
      says: fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom('a', 'b')), { maxLength: 8 }),
      end: fc.constantFrom<NonNullable<Play['end']>>('finish', 'stall', failure('provider.connection')),
    })
    const limits = fc.record({ connectMs: limit, firstTokenMs: limit, betweenTokensMs: limit, totalMs: limit })
    await fc.assert(
      fc.asyncProperty(play, limits, fc.boolean(), limit, fc.nat(4), async (script, options, isDeaf, leaveMs, most) => {
        const inner = played([script], { isDeaf })
        const leaving = new AbortController()
        const start = Date.now()
        const leaver = leaveMs === undefined ? undefined : setTimeout(() => leaving.abort(new Error('left')), leaveMs)
        const said: string[] = []
        let error: unknown
        let hasEnded = false
        const work = (async () => {
          try {
            for await (const event of timeout(inner, options as TimeoutOptions).stream(hello, {
              signal: leaving.signal,
            })) {
              if (event.type === 'text-delta') said.push(event.text)
              if (said.length > most) break
            }
          } catch (thrown) {
            error = thrown
          }
          hasEnded = true
          return Date.now() - start
        })()
        await vi.advanceTimersByTimeAsync(2000)
        const isForever = script.end === 'stall' && !hasEnded
        if (isForever) leaving.abort(new Error('at last'))
        const tookMs = await work
        clearTimeout(leaver)
        // Nothing was to end a call that went on for ever, and else it ended in time.
        const { totalMs } = options
        if (isForever) expect([totalMs, leaveMs]).toEqual([undefined, undefined])
        else expect(tookMs).toBeLessThanOrEqual(Math.min(totalMs ?? 2000, leaveMs ?? 2000))
        const order = script.says.filter((part) => typeof part === 'string')
        expect(said).toEqual(order.slice(0, said.length))
        if (isOrraError(error, 'provider.timeout')) expect(tookMs).toBeGreaterThanOrEqual(error.details.afterMs)
        if (!isDeaf) expect(inner.open).toBe(0)
        // A deaf one still waits by itself.
        await vi.advanceTimersByTimeAsync(2000)
        expect(vi.getTimerCount()).toBe(0)
        expect(getEventListeners(leaving.signal, 'abort')).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
