import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HeldLimit, LimitName } from '../gate/limits.ts'
import type { Rules } from '../gate/rules.ts'
import { Namespace } from '../namespace.ts'
import { NO_USAGE } from '../provider.ts'
import type { Counters } from '../store/counters.ts'
import { memoryStore } from '../store/memory-store.ts'
import { createMeter } from './meter.ts'
import type { Granted, GrantedToolCall, PlannedCall, Refused } from './reserved.ts'

const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const call: PlannedCall = { provider: 'scripted', model: 'big', inputTokens: 1000, maxOutputTokens: 4000 }
/** A dollar for each million tokens sent, ten for each million made. */
const prices = ({ usage }: { readonly usage: { readonly inputTokens: number; readonly outputTokens: number } }) =>
  (usage.inputTokens + 10 * usage.outputTokens) / 1_000_000
const signal = new AbortController().signal

function held(name: LimitName, value: number, namespace = acme): HeldLimit {
  return { name, value, namespace, rule: 'a policy' }
}

function rulesOf(...limits: readonly HeldLimit[]): Rules {
  return {
    decide: () => ({ allowed: true }),
    approvalOf: () => undefined,
    limits,
    limit: (name) => limits.find((limit) => limit.name === name),
  }
}

function setUp() {
  const { counters } = memoryStore()
  const calls: string[] = []
  const counted = new Proxy(counters, {
    get: (target, name: keyof Counters) => {
      calls.push(name)
      return target[name]
    },
  })
  const taken = async () =>
    Object.fromEntries(
      (await counters.list()).items.map(({ namespace, counter, window, used, reserved }) => [
        `${namespace} ${counter} ${window}`,
        [used, reserved],
      ]),
    )
  /** Nothing is extended any more, as when the process stands still. */
  const die = () => {
    vi.spyOn(counters, 'extend').mockRejectedValue(new Error('away'))
  }
  return { counters, calls, taken, die, meter: createMeter(counted, { prices }) }
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 4, 26, 10) })
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('where no limit holds', () => {
  it('does nothing at all', async () => {
    const { calls, meter } = setUp()
    const rules = rulesOf(held('maxTurns', 3), held('spawnDepth', 1), held('runTimeMs', 5))
    await (await meter.admit(rules, signal)).settle(true)
    const granted = (await meter.reserveModelCall(rules, call, signal)) as Granted
    expect(granted).toEqual({ granted: true, against: expect.any(Function), settle: expect.any(Function) })
    expect(granted.against({ model: 'another' })).toBeUndefined()
    await granted.settle()
    await ((await meter.reserveToolCall(rules, 5, signal)) as GrantedToolCall).settle(true)
    expect(calls).toEqual([])
  })

  it('asks no store for a tool that costs nothing', async () => {
    const { calls, meter } = setUp()
    expect(await meter.reserveToolCall(rulesOf(held('usdPerDay', 1)), 0, signal)).toMatchObject({ granted: true })
    expect(calls).toEqual([])
  })
})

describe('messages', () => {
  it('count in every window and at every ancestor, in one step', async () => {
    const { calls, meter, taken } = setUp()
    const rules = rulesOf(held('runsPerMinute', 5), held('runsPerMonth', 9), held('runsPerHour', 2, bob))
    const admission = await meter.admit(rules, signal)
    expect(calls).toEqual(['reserve'])
    await admission.settle(true)
    await admission.settle(true)
    expect(await taken()).toEqual({
      'tenant:acme runs 2026-11-23T04:26': [1, 0],
      'tenant:acme runs 2026-11': [1, 0],
      'tenant:acme:user:bob runs 2026-11-23T04': [1, 0],
    })
  })

  it('that were not accepted do not count', async () => {
    const { meter, taken } = setUp()
    await (await meter.admit(rulesOf(held('runsPerDay', 1)), signal)).settle(false)
    expect(await taken()).toEqual({ 'tenant:acme runs 2026-11-23': [0, 0] })
  })

  it('are refused until the window ends', async () => {
    const { meter } = setUp()
    const rules = rulesOf(held('runsPerMinute', 1))
    await (await meter.admit(rules, signal)).settle(true)
    await expect(meter.admit(rules, signal)).rejects.toMatchObject({
      code: 'limit.reached',
      retryable: true,
      message: expect.stringContaining('The limit of 1 run a minute for tenant:acme is reached.'),
      details: { namespace: 'tenant:acme', limit: 'runsPerMinute', retryAfterMs: 50_000 },
    })
    vi.advanceTimersByTime(50_000)
    await (await meter.admit(rules, signal)).settle(true)
  })

  it('count once where several policies say the same, and the smallest holds', async () => {
    const { meter, taken } = setUp()
    const rules = rulesOf(held('runsPerDay', 3), held('runsPerDay', 2))
    for (let runs = 0; runs < 2; runs += 1) await (await meter.admit(rules, signal)).settle(true)
    await expect(meter.admit(rules, signal)).rejects.toMatchObject({ code: 'limit.reached' })
    expect(await taken()).toEqual({ 'tenant:acme runs 2026-11-23': [2, 0] })
  })

  it('need no store where the signal has aborted', async () => {
    const { meter } = setUp()
    const reason = new Error('over')
    await expect(meter.admit(rulesOf(held('runsPerDay', 1)), AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})

describe('a model call', () => {
  it('reserves what is planned and settles what it was', async () => {
    const { calls, meter, taken } = setUp()
    const rules = rulesOf(held('tokensPerHour', 100_000), held('usdPerDay', 1))
    const granted = (await meter.reserveModelCall(rules, call, signal)) as Granted
    expect(granted.maxOutputTokens).toBe(4000)
    expect(calls).toEqual(['reserve'])
    expect(await taken()).toEqual({
      'tenant:acme tokens 2026-11-23T04': [0, 5000],
      'tenant:acme usd 2026-11-23': [0, 41_000],
    })
    const used = { ...NO_USAGE, inputTokens: 900, outputTokens: 30 }
    await granted.settle(used)
    await granted.settle()
    expect(calls).toEqual(['reserve', 'settle'])
    expect(await taken()).toEqual({
      'tenant:acme tokens 2026-11-23T04': [930, 0],
      'tenant:acme usd 2026-11-23': [1200, 0],
    })
  })

  it('of which nobody knows what it was is what was planned', async () => {
    const { meter, taken } = setUp()
    await ((await meter.reserveModelCall(rulesOf(held('tokensPerDay', 9000)), call, signal)) as Granted).settle()
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11-23': [5000, 0] })
  })

  it('gets a shorter reply where that is what the limits leave', async () => {
    const { meter } = setUp()
    const rules = rulesOf(held('tokensPerDay', 4000), held('usdPerDay', 0.021), held('usdPerMonth', 0.0155))
    const granted = (await meter.reserveModelCall(rules, call, signal)) as Granted
    // 1,000 tokens sent cost 1,000 of 15,500 millionths; 1,450 made cost the rest.
    expect(granted.maxOutputTokens).toBe(1450)
    await granted.settle()
  })

  it('may cost what writing to the cache costs', async () => {
    const { counters, taken } = setUp()
    const meter = createMeter(counters, { prices: ({ usage }) => (usage.inputTokens + usage.cacheWriteTokens) / 1e6 })
    const granted = await meter.reserveModelCall(rulesOf(held('usdPerDay', 1)), call, signal)
    expect(await taken()).toEqual({ 'tenant:acme usd 2026-11-23': [0, 2000] })
    await (granted as Granted).settle()
  })

  it('is not made for a reply of a few words', async () => {
    const { meter } = setUp()
    const rules = rulesOf(held('tokensPerDay', 6200))
    const first = (await meter.reserveModelCall(rules, call, signal)) as Granted
    const refused = (await meter.reserveModelCall(rules, call, signal)) as Refused
    expect(refused).toEqual({
      granted: false,
      limit: rules.limits[0],
      reason: 'The limit of 6,200 tokens a day for tenant:acme is reached.',
      retryAfterMs: Date.UTC(2026, 10, 24) - Date.now(),
    })
    const short = await meter.reserveModelCall(rules, { ...call, maxOutputTokens: 100 }, signal)
    expect(short).toMatchObject({ granted: true, maxOutputTokens: 100 })
    await first.settle()
    await (short as Granted).settle()
  })

  it('that no window could ever take is refused for that', async () => {
    const { calls, meter } = setUp()
    const refused = await meter.reserveModelCall(rulesOf(held('tokensPerMinute', 1255)), call, signal)
    expect(refused).toMatchObject({
      granted: false,
      reason: 'The limit of 1,255 tokens a minute for tenant:acme is too small for this call alone.',
    })
    expect(refused).not.toHaveProperty('retryAfterMs')
    expect(calls).toEqual([])
  })

  it('that has no price is refused where money is limited, and nowhere else', async () => {
    const { counters } = setUp()
    const meter = createMeter(counters)
    const rules = rulesOf(held('tokensPerDay', 9000), held('usdPerDay', 50))
    expect(await meter.reserveModelCall(rules, call, signal)).toMatchObject({
      granted: false,
      limit: { name: 'usdPerDay' },
      reason: expect.stringContaining('Give "prices" for this model.'),
    })
    const granted = await meter.reserveModelCall(rulesOf(held('tokensPerDay', 9000)), call, signal)
    await (granted as Granted).settle()
  })

  it('is asked for a few times while others spend, and not for ever', async () => {
    const { counters, meter } = setUp()
    const reserve = vi.spyOn(counters, 'reserve').mockImplementation(async () => {
      return { granted: false, claim: 0, taken: 5000 + 10 * reserve.mock.calls.length }
    })
    const rules = rulesOf(held('tokensPerDay', 8000))
    expect(await meter.reserveModelCall(rules, call, signal)).toMatchObject({ granted: false })
    expect(reserve.mock.calls.length).toBeLessThan(8)
  })

  it('counts for hours while it lasts, and can be settled late', async () => {
    const { die, meter, taken } = setUp()
    const granted = (await meter.reserveModelCall(rulesOf(held('tokensPerMonth', 9000)), call, signal)) as Granted
    await vi.advanceTimersByTimeAsync(3 * 3_600_000)
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11': [0, 5000] })
    die()
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11': [0, 0] })
    await granted.settle()
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11': [5000, 0] })
  })

  it('whose reservation is long gone settles without a word', async () => {
    const { die, meter } = setUp()
    const granted = (await meter.reserveModelCall(rulesOf(held('tokensPerMinute', 9000)), call, signal)) as Granted
    die()
    await vi.advanceTimersByTimeAsync(48 * 3_600_000)
    await granted.settle()
  })

  it('is settled later where the store fails, and counts meanwhile', async () => {
    const { counters, meter, taken } = setUp()
    const granted = (await meter.reserveModelCall(rulesOf(held('tokensPerDay', 9000)), call, signal)) as Granted
    const settle = vi.spyOn(counters, 'settle').mockRejectedValue(new Error('away'))
    await granted.settle({ ...NO_USAGE, inputTokens: 70 })
    await vi.advanceTimersByTimeAsync(400_000)
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11-23': [0, 5000] })
    settle.mockRestore()
    await vi.advanceTimersByTimeAsync(300_000)
    expect(await taken()).toEqual({ 'tenant:acme tokens 2026-11-23': [70, 0] })
  })

  it('is given up where the store is away for good', async () => {
    const { counters, meter } = setUp()
    const granted = (await meter.reserveModelCall(rulesOf(held('tokensPerDay', 9000)), call, signal)) as Granted
    const settle = vi.spyOn(counters, 'settle').mockRejectedValue(new Error('away'))
    await granted.settle()
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(settle.mock.calls.length).toBeGreaterThan(5)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('costs what the model costs that answered, and where nobody knows that, what the one costs that was asked', async () => {
    const { counters, taken } = setUp()
    const known: Readonly<Record<string, number>> = { big: 1, dear: 100 }
    const meter = createMeter(counters, {
      prices: ({ model, usage }) => {
        const price = known[model]
        return price === undefined ? undefined : (price * usage.inputTokens) / 1e6
      },
    })
    const rules = rulesOf(held('usdPerDay', 5))
    for (const [answered, sum] of [
      [{ model: 'dear' }, 100_000],
      [{ model: 'big-2026-11-01' }, 101_000],
      [undefined, 102_000],
    ] as const) {
      const granted = (await meter.reserveModelCall(rules, call, signal)) as Granted
      await granted.settle({ ...NO_USAGE, inputTokens: 1000 }, answered)
      expect(await taken()).toEqual({ 'tenant:acme usd 2026-11-23': [sum, 0] })
    }
  })

  it('of absurd size is counted as far as can be counted', async () => {
    const { meter, taken } = setUp()
    const most = Number.MAX_SAFE_INTEGER
    const rules = rulesOf(held('tokensPerDay', 9000), held('usdPerDay', 50))
    const granted = (await meter.reserveModelCall(rules, call, signal)) as Granted
    await granted.settle({ ...NO_USAGE, inputTokens: most, outputTokens: most })
    expect(await taken()).toEqual({
      'tenant:acme tokens 2026-11-23': [most, 0],
      'tenant:acme usd 2026-11-23': [most, 0],
    })
  })
})

describe('a tool call', () => {
  it('costs money where it was made', async () => {
    const { meter, taken } = setUp()
    const rules = rulesOf(held('usdPerDay', 0.5), held('tokensPerDay', 1))
    await ((await meter.reserveToolCall(rules, 0.07, signal)) as GrantedToolCall).settle(true)
    await ((await meter.reserveToolCall(rules, 0.07, signal)) as GrantedToolCall).settle(false)
    expect(await taken()).toEqual({ 'tenant:acme usd 2026-11-23': [70_000, 0] })
  })

  it('that was made without being counted is counted, whatever is left', async () => {
    const { calls, meter, taken } = setUp()
    const rules = rulesOf(held('usdPerDay', 0.5))
    await meter.countToolCall(rules, 0.4, signal)
    await meter.countToolCall(rules, 0.4, signal)
    expect(await taken()).toEqual({ 'tenant:acme usd 2026-11-23': [800_000, 0] })
    calls.length = 0
    await meter.countToolCall(rules, 0, signal)
    await meter.countToolCall(rulesOf(), 1, signal)
    expect(calls).toEqual([])
  })

  it('is refused where there is not enough', async () => {
    const { meter } = setUp()
    const rules = rulesOf(held('usdPerHour', 1))
    const first = (await meter.reserveToolCall(rules, 0.6, signal)) as GrantedToolCall
    expect(await meter.reserveToolCall(rules, 0.6, signal)).toMatchObject({
      reason: 'The limit of 1 US dollar an hour for tenant:acme is reached.',
      retryAfterMs: expect.any(Number),
    })
    expect(await meter.reserveToolCall(rules, 1.01, signal)).toMatchObject({
      reason: 'The limit of 1 US dollar an hour for tenant:acme is too small for this call alone.',
    })
    await first.settle(true)
  })
})
