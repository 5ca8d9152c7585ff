import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { memoryStore } from '../store/memory-store.ts'
import { type ModelQuotaOptions, modelQuota, type QuotaTurn } from './model-quota.ts'

const MINUTE = 60_000
const signal = new AbortController().signal
const userOf = (tenant: string) => Namespace.of('tenant', tenant, 'user', 'bob')

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 4, 26) })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Enters, and notes who got a turn and when. */
function desk(options: ModelQuotaOptions) {
  const quota = modelQuota(options)
  const start = Date.now()
  const turns: { readonly tenant: string; readonly tokens: number; readonly at: number; readonly turn: QuotaTurn }[] =
    []
  const enter = async (tenant: string, tokens: number, heeded = signal) => {
    const turn = await quota.enter(userOf(tenant), tokens, heeded)
    turns.push({ tenant, tokens, at: Date.now() - start, turn })
    return turn
  }
  return { enter, turns, names: () => turns.map(({ tenant }) => tenant) }
}

describe('a model quota', () => {
  it('lets calls through at once while there is enough, and keeps no timer', async () => {
    const { enter, turns } = desk({ requestsPerMinute: 60, tokensPerMinute: 60_000 })
    for (let call = 0; call < 10; call += 1) await enter('a', 1000)
    expect(turns.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, () => 0))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('makes the rest wait as long as it must, and no longer', async () => {
    const { enter, turns } = desk({ tokensPerMinute: 60_000 })
    const all = Promise.all([enter('a', 10_000), enter('a', 2000), enter('a', 3000)])
    await vi.advanceTimersByTimeAsync(5000)
    await all
    expect(turns.map(({ at }) => at)).toEqual([0, 2000, 5000])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets a call through that is larger than all of it, and makes up for it', async () => {
    const { enter, turns } = desk({ tokensPerMinute: 6000 })
    const all = Promise.all([enter('a', 1), enter('b', 12_000), enter('a', 1)])
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    await all
    expect(turns.map(({ tenant, at }) => [tenant, at])).toEqual([
      ['a', 0],
      ['a', 0],
      ['b', 20],
    ])
  })

  it('gives back what was not used, and takes what was used besides', async () => {
    const { enter, turns } = desk({ tokensPerMinute: 60_000 })
    const first = await enter('a', 10_000)
    const second = enter('a', 10_000)
    first.settle(0)
    first.settle(0)
    await second
    ;(await second).settle(15_000)
    const third = enter('a', 5000)
    await vi.advanceTimersByTimeAsync(MINUTE)
    await third
    expect(turns.map(({ at }) => at)).toEqual([0, 0, 10_000])
  })

  it('keeps a flood of one tenant waiting behind itself', async () => {
    const { enter, names } = desk({ tokensPerMinute: 60_000 })
    for (let call = 0; call < 500; call += 1) void enter('flood', 1000)
    await vi.advanceTimersByTimeAsync(7300)
    const before = names().length
    for (let call = 0; call < 3; call += 1) void enter('small', 1000)
    await vi.advanceTimersByTimeAsync(8000)
    const order = names().slice(before)
    expect(order.slice(0, 7).filter((name) => name === 'small')).toHaveLength(3)
    expect(order.indexOf('small')).toBeLessThanOrEqual(1)
  })

  it('shares by weight', async () => {
    const { enter, names } = desk({ requestsPerMinute: 60, weightOf: (tenant) => (tenant === 'tenant:big' ? 3 : 1) })
    for (let call = 0; call < 200; call += 1) {
      void enter('big', 5)
      void enter('small', 5)
    }
    await vi.advanceTimersByTimeAsync(2 * MINUTE)
    const big = names().filter((name) => name === 'big').length
    expect(names().length).toBeGreaterThanOrEqual(120)
    expect(big / names().length).toBeGreaterThan(0.7)
    expect(big / names().length).toBeLessThan(0.8)
  })

  it('lets whoever gives up leave, and the others move up', async () => {
    const { enter, turns } = desk({ tokensPerMinute: 60_000 })
    await enter('a', 10_000)
    const leaving = new AbortController()
    const gone = enter('a', 10_000, leaving.signal)
    const next = enter('a', 1000)
    const reason = new Error('over')
    leaving.abort(reason)
    await expect(gone).rejects.toBe(reason)
    await vi.advanceTimersByTimeAsync(1000)
    await next
    expect(turns.map(({ at }) => at)).toEqual([0, 1000])
    await expect(enter('a', 1, leaving.signal)).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('holds no timer once nobody waits any more', async () => {
    const { enter } = desk({ tokensPerMinute: 60_000 })
    await enter('a', 10_000)
    const leaving = new AbortController()
    const gone = enter('a', 10_000, leaving.signal)
    expect(vi.getTimerCount()).toBe(1)
    leaving.abort()
    await expect(gone).rejects.toThrow()
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each<[string, ModelQuotaOptions]>([
    ['no quota', {}],
    ['a quota of nothing', { requestsPerMinute: 0 }],
    ['a quota that is no number', { tokensPerMinute: Number.NaN }],
    ['a misspelt option', { tokensPerMinute: 1, tenant: () => '' } as ModelQuotaOptions],
  ])('refuses %s', (_, options) => {
    expect(() => modelQuota(options)).toThrow(expect.toSatisfy((error) => isOrraError(error, 'options.invalid')))
  })

  it('refuses weights and tokens that are none', async () => {
    const weightless = modelQuota({ tokensPerMinute: 1, weightOf: () => 0 })
    await expect(weightless.enter(userOf('a'), 1, signal)).rejects.toMatchObject({ code: 'options.invalid' })
    const quota = modelQuota({ tokensPerMinute: 1 })
    await expect(quota.enter(userOf('a'), Number.NaN, signal)).rejects.toMatchObject({ code: 'options.invalid' })
  })

  it('goes above the quota in no minute by more than it says, and keeps nobody waiting for ever', async () => {
    const entry = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      tokens: fc.nat(1500),
      after: fc.nat(4000),
      leavesAfter: fc.option(fc.nat(20_000), { freq: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 40 }),
        fc.integer({ min: 10, max: 100 }),
        fc.integer({ min: 2000, max: 9000 }),
        async (entries, requestsPerMinute, tokensPerMinute) => {
          const { enter, turns } = desk({ requestsPerMinute, tokensPerMinute })
          const ended: Promise<unknown>[] = []
          for (const { tenant, tokens, after, leavesAfter } of entries) {
            await vi.advanceTimersByTimeAsync(after)
            const leaving = new AbortController()
            if (leavesAfter !== null) setTimeout(() => leaving.abort(), leavesAfter)
            ended.push(enter(tenant, tokens, leaving.signal).catch(() => undefined))
          }
          await vi.advanceTimersByTimeAsync(60 * MINUTE)
          await Promise.all(ended)
          expect(vi.getTimerCount()).toBe(0)
          const burst = Math.max(tokensPerMinute / 6, 1500)
          for (const { at } of turns) {
            const minute = turns.filter((other) => other.at >= at && other.at < at + MINUTE)
            const tokens = minute.reduce((sum, turn) => sum + turn.tokens, 0)
            expect(tokens).toBeLessThanOrEqual(tokensPerMinute + tokensPerMinute / 6 + burst)
            expect(minute.length).toBeLessThanOrEqual(Math.ceil((requestsPerMinute * 7) / 6) + 1)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a quota shared between processes', () => {
  const namespace = Namespace.of('quota', 'model')
  const minuteOf = (at: number) => Math.floor(at / MINUTE)

  it('is kept by all of them together, minute by minute', async () => {
    const shared = { counters: memoryStore().counters, namespace }
    const desks = [0, 1, 2].map(() => desk({ tokensPerMinute: 6000, requestsPerMinute: 100, shared }))
    const all = desks.flatMap(({ enter }) => Array.from({ length: 10 }, () => enter('a', 500)))
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    await Promise.all(all)
    const turns = desks.flatMap(({ turns }) => turns)
    for (let minute = 0; minute < 5; minute += 1) {
      const sent = turns.filter(({ at }) => minuteOf(at) === minute).length
      expect(sent * 500).toBeLessThanOrEqual(6000)
    }
    expect(turns.filter(({ at }) => minuteOf(at) === 0)).toHaveLength(12)
    expect(turns).toHaveLength(30)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('notices within a second what another gives back', async () => {
    const shared = { counters: memoryStore().counters, namespace }
    const [mine, theirs] = [desk({ tokensPerMinute: 6000, shared }), desk({ tokensPerMinute: 6000, shared })]
    const turn = await theirs.enter('a', 6000)
    const waiting = mine.enter('b', 1000)
    await vi.advanceTimersByTimeAsync(2500)
    expect(mine.turns).toEqual([])
    turn.settle(0)
    await vi.advanceTimersByTimeAsync(1000)
    await waiting
    expect(mine.turns.map(({ at }) => at)).toEqual([3000])
  })

  it('asks the store no more often because more are waiting', async () => {
    const { counters } = memoryStore()
    const mine = desk({ requestsPerMinute: 6, shared: { counters, namespace } })
    await desk({ requestsPerMinute: 6, shared: { counters, namespace } }).enter('x', 1)
    for (let call = 0; call < 5; call += 1) {
      void mine.enter('a', 1)
      await vi.advanceTimersByTimeAsync(9000)
    }
    const reserve = vi.spyOn(counters, 'reserve')
    for (let call = 0; call < 50; call += 1) void mine.enter('a', 1)
    await vi.advanceTimersByTimeAsync(5000)
    expect(reserve.mock.calls.length).toBeLessThanOrEqual(6)
  })

  it('has room for a call that is larger than a minute of it', async () => {
    const { counters } = memoryStore()
    const { enter } = desk({ tokensPerMinute: 600, shared: { counters, namespace } })
    const turn = await enter('a', 5000)
    turn.settle(4000)
    expect((await counters.list()).items).toMatchObject([{ counter: 'model-tokens', used: 4000, reserved: 0 }])
  })

  it('fails one call where the store fails, and goes on', async () => {
    const { counters } = memoryStore()
    vi.spyOn(counters, 'reserve').mockRejectedValueOnce(new Error('away'))
    const { enter } = desk({ tokensPerMinute: 6000, shared: { counters, namespace } })
    await expect(enter('a', 1)).rejects.toThrow('away')
    await enter('a', 1)
  })

  it('keeps nothing for a call whose signal aborts while the store answers', async () => {
    const { counters } = memoryStore()
    const { enter } = desk({ tokensPerMinute: 6000, shared: { counters, namespace } })
    const leaving = new AbortController()
    const gone = enter('a', 1000, leaving.signal)
    leaving.abort(new Error('over'))
    await expect(gone).rejects.toThrow('over')
    await vi.advanceTimersByTimeAsync(1)
    expect((await counters.list()).items).toMatchObject([{ used: 0, reserved: 0 }])
  })
})
