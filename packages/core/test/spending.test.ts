import type { ScriptStep } from '@orra/conformance'
import {
  approvals,
  createRuntime,
  defineTool,
  type Entry,
  type Limits,
  type ModelResponse,
  memoryStore,
  modelQuota,
  Namespace,
  OrraError,
  type Policies,
  type Provider,
  priceTable,
  type RuntimeOptions,
  type Store,
  type Usage,
} from '@orra/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { announced, aSwitch, bob, codeOf, logOf, scripted } from './harness.ts'

const acme = Namespace.of('tenant', 'acme')
const free = priceTable({ '*': { input: 0, output: 0 } })
const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })
const looking = { toolCalls: [{ name: 'look' }] }
const never = new Promise<never>(() => {})

function limited(limits: Limits): Policies {
  return { 'tenant:*': { limits } }
}

/** A runtime with limits, and what its counters say. */
function world(steps: readonly ScriptStep[], limits: Limits, options: Partial<RuntimeOptions> = {}) {
  const { store = memoryStore(), ...others } = options
  const made = scripted(steps, { store, policies: limited(limits), tools: [look], ...others })
  const counted = async (counter = 'tokens') => {
    const { items } = await store.counters.list({ within: acme })
    const { used = 0, reserved = 0 } = items.find((item) => item.counter === counter) ?? {}
    return { used, reserved }
  }
  return { ...made, store, counted, today: () => made.orra.usage(acme, 'day') }
}

function finish(usage: Partial<Usage>, model: string): { readonly type: 'finish' } & ModelResponse {
  const message = { role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] } as const
  const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return { type: 'finish', message, stopReason: 'stop', usage: { ...none, ...usage }, model }
}

const hello = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const

/** What a process left behind that died while it did a call. */
async function diedCalling(name: string): Promise<Store> {
  const store = memoryStore()
  await store.sessions.append(bob, [{ type: 'input', key: 'one', message: hello }])
  const lease = await store.sessions.claim(bob, { owner: 'dead', ttlMs: 60_000 })
  const calls = [{ type: 'tool-call', callId: 'c', name, input: {} }] as const
  const entries: readonly Entry[] = [
    { type: 'run-started', runId: 'r', input: 'one' },
    { type: 'message', message: hello, input: 'one' },
    { type: 'message', message: { role: 'assistant', content: calls }, stopReason: 'tool-calls' },
    { type: 'tool-started', callId: 'c' },
  ]
  if (lease) await store.sessions.append(bob, entries, { epoch: lease.epoch })
  await lease?.release()
  return store
}

afterEach(() => {
  vi.useRealTimers()
})

describe('what is reserved for a file or an image', () => {
  const pdf = { type: 'file', mediaType: 'application/pdf' } as const
  const asked = (part: object) => [{ type: 'text', text: 'Sum it up.' } as const, part as typeof pdf & { url: string }]

  it.each([
    ['a file of somebody else', { ...pdf, url: 'https://x.test/a.pdf' }, 100_000],
    ['a long file', { ...pdf, data: Buffer.alloc(60_000).toString('base64') }, 60_000],
    ['an image', { type: 'image', mediaType: 'image/png', url: 'https://x.test/a.png' }, 5_000],
  ])('is enough, however many are sent at once: %s', async (_, part, inputTokens) => {
    const gate = aSwitch()
    const turn = { text: 'Long.', before: gate.promise, usage: { inputTokens, outputTokens: 5 } }
    const most = 3.5 * inputTokens
    const { orra, counted } = world(
      Array(20).fill(turn),
      { tokensPerDay: most },
      { context: { windowTokens: 110_000, outputReserveTokens: 300 } },
    )
    const runs = Array.from({ length: 20 }, (_, user) => orra.run(acme.child('user', `${user}`), asked(part)))
    const refused = Promise.race(runs)
    expect(await refused).toMatchObject({ reason: 'limit' })
    gate.on()
    const reasons = (await Promise.all(runs)).map(({ reason }) => reason)
    expect(reasons).toContain('completed')
    const { used, reserved } = await counted()
    expect(used).toBeGreaterThan(0)
    expect(used).toBeLessThanOrEqual(most)
    expect(reserved).toBe(0)
  })

  it('counts those that tools have returned, and is never more than the window', async () => {
    const shot = defineTool({
      name: 'look',
      description: 'Photographs.',
      readOnly: true,
      execute: () => [{ ...pdf, data: Buffer.alloc(90_000).toString('base64') }],
    })
    const gate = aSwitch()
    const called = aSwitch()
    const last = announced(called, { text: 'Done.', before: gate.promise })
    const context = { windowTokens: 50_000, outputReserveTokens: 1000 }
    const { orra, counted } = world([looking, last], { tokensPerDay: 1e6 }, { tools: [shot], context })
    const run = orra.run(bob, 'Look')
    await called.promise
    expect((await counted()).reserved).toBe(51_000)
    gate.on()
    await run
  })
})

describe('a reply of another model than was asked for', () => {
  const answering = (asked: string, answered: string): Provider => ({
    name: 'router',
    model: asked,
    async *stream() {
      yield finish({ inputTokens: 20_000 }, answered)
    },
  })

  it.each([
    ['costs what that model costs', 'dear', 2],
    ['costs what was asked for where nobody knows its price', 'cheap-2026-11-01', 0.02],
  ])('%s', async (_, answered, usd) => {
    const store = memoryStore()
    const prices = priceTable({ cheap: { input: 1, output: 1 }, dear: { input: 100, output: 100 } })
    const options = { provider: answering('cheap', answered), store, prices, policies: limited({ usdPerDay: 5 }) }
    const orra = createRuntime(options)
    await orra.run(bob, 'Hello')
    expect(await orra.usage(acme, 'day')).toMatchObject({ usd, unpricedCalls: 0, models: { [answered]: { usd } } })
    expect((await store.counters.list()).items).toMatchObject([{ used: usd * 1e6, reserved: 0 }])
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    expect(lines.some((line) => line.includes('"asked":"cheap"'))).toBe(true)
    await orra.session(bob.child('copy', '1')).import(lines)
  })

  it('is not told apart where it is the one that was asked for', async () => {
    const { orra } = world(['Hi.'], {})
    await orra.run(bob, 'Hello', { model: 'scripted-2' })
    for await (const { entry } of orra.session(bob).entries()) expect(entry).not.toHaveProperty('asked')
  })
})

describe('a run', () => {
  it('without limits writes one record, and reads one at first', async () => {
    const { orra, store } = world([looking, 'Hi.', looking, 'Hi.'], {})
    const { records, counters } = store
    const read = [vi.spyOn(records, 'get'), vi.spyOn(records, 'list')]
    const put = vi.spyOn(records, 'put')
    const others = [vi.spyOn(counters, 'reserve'), vi.spyOn(counters, 'settle')]
    const calls = () => [...read, put, ...others].map(({ mock }) => mock.calls.length)
    await orra.run(bob, 'Hello')
    expect(calls()).toEqual([1, 0, 1, 0, 0])
    await orra.run(bob, 'Hello')
    expect(calls()).toEqual([1, 0, 2, 0, 0])
  })

  it('that goes on after it was counted is counted with what it then uses', async () => {
    const store = memoryStore()
    let fenced = 0
    const append: Store['sessions']['append'] = async (namespace, entries, options) => {
      if (!entries.some(({ type }) => type === 'run-ended') || fenced > 0) {
        return store.sessions.append(namespace, entries, options)
      }
      fenced += 1
      await store.sessions.append(bob, [{ type: 'input', key: 'more', message: hello, whenBusy: 'steer' }])
      throw new OrraError('store.fenced', 'Another has it.', { details: { namespace: namespace.key } })
    }
    const steps = [1000, 500_000].map((inputTokens) => ({ text: 'Hi.', usage: { inputTokens, outputTokens: 0 } }))
    const { orra, today } = world(steps, {}, { store: { ...store, sessions: { ...store.sessions, append } } })
    expect(await orra.run(bob, 'Hello')).toMatchObject({ usage: { inputTokens: 501_000 } })
    expect(fenced).toBe(1)
    expect(await today()).toMatchObject({
      runs: 1,
      usage: { inputTokens: 501_000 },
      models: { 'scripted-1': { calls: 2 } },
    })
  })

  it('whose session is deleted meanwhile is counted', async () => {
    const begun = aSwitch()
    const hold = defineTool({
      name: 'look',
      description: 'Looks for ever.',
      execute: () => {
        begun.on()
        return never
      },
    })
    const { orra, today } = world(
      [{ ...looking, usage: { inputTokens: 900_000 } }],
      {},
      { tools: [hold], leaseTtlMs: 100 },
    )
    const run = codeOf(orra.run(bob, 'Look'))
    await begun.promise
    await orra.session(bob).delete()
    expect(await run).toBe('session.deleted')
    expect(await today()).toMatchObject({ runs: 1, usage: { inputTokens: 900_000 }, tools: { look: { calls: 1 } } })
  })

  it('that is erased meanwhile leaves nothing', async () => {
    const begun = aSwitch()
    const { orra, today, store } = world([announced(begun, { text: 'Hi', before: never })], { tokensPerDay: 1e6 })
    const run = codeOf(orra.run(bob, 'Hello'))
    await begun.promise
    await orra.erase(acme)
    await run
    expect(await today()).toMatchObject({ runs: 0, cutOffCalls: 0 })
    expect((await store.records.list({ within: acme })).items).toEqual([])
  })

  it('that waits for a decision is counted before, and once', async () => {
    const pay = defineTool({ name: 'pay', description: 'Pays.', approval: 'always', execute: () => 'paid' })
    const paying = { toolCalls: [{ name: 'pay' }], usage: { inputTokens: 700, outputTokens: 0 } }
    const more = { text: 'Paid.', usage: { inputTokens: 50, outputTokens: 0 } }
    const { orra, today } = world([paying, more], {}, { tools: [pay], approvals: { suspend: true } })
    expect(await orra.run(bob, 'Pay')).toMatchObject({ reason: 'suspended' })
    expect(await today()).toMatchObject({ runs: 1, usage: { inputTokens: 700 }, tools: {} })
    await orra.decide(bob, 'call-1', { approved: true, by: bob })
    expect(await orra.resume(bob)).toMatchObject({ text: 'Paid.' })
    expect(await today()).toMatchObject({ runs: 1, usage: { inputTokens: 750 }, tools: { pay: { calls: 1 } } })
    await orra.session(bob).delete()
    expect(await today()).toMatchObject({ runs: 1, usage: { inputTokens: 750 } })
  })
})

describe('a tool that costs money', () => {
  const paint = (hints: object) =>
    defineTool({ name: 'paint', description: 'Paints.', usd: 1, execute: () => 'painted', ...hints })

  it.each([
    ['is found to be done', { reconcile: () => 'painted' }, {}],
    ['cannot be found out about', { reconcile: () => Promise.reject(new Error('away')) }, {}],
    ['cannot be gone on with', {}, {}],
    ['may no longer be used', { reconcile: () => 'painted' }, { tools: { deny: ['paint'] } }],
    ['is done again', { idempotent: true }, {}],
    ['came to nothing and is done', { reconcile: () => undefined }, {}],
  ])('counts after a crash, once, when it %s', async (_, hints, narrowed) => {
    const store = await diedCalling('paint')
    const policies = { 'tenant:*': { limits: { usdPerDay: 10 }, ...narrowed } }
    const { orra, counted } = world(['Done.'], {}, { store, policies, prices: free, tools: [paint(hints)] })
    expect(await orra.resume(bob)).toMatchObject({ text: 'Done.' })
    expect(await counted('usd')).toEqual({ used: 1_000_000, reserved: 0 })
  })

  it('counts when its run is left before anybody goes on with it', async () => {
    const store = await diedCalling('paint')
    await store.sessions.append(bob, [{ type: 'input-withdrawn', input: 'one' }])
    const { orra, counted } = world(
      [],
      { usdPerDay: 10 },
      { store, prices: free, tools: [paint({ reconcile: () => 'x' })] },
    )
    expect(await orra.resume(bob)).toMatchObject({ reason: 'aborted' })
    expect(await counted('usd')).toEqual({ used: 1_000_000, reserved: 0 })
  })

  it('keeps to the limits that hold once it is approved', async () => {
    let usdPerDay = 10
    let paid = 0
    const pay = defineTool({
      name: 'pay',
      description: 'Pays.',
      usd: 5,
      approval: 'always',
      execute: () => `paid ${++paid}`,
    })
    const ask = async () => {
      usdPerDay = 0
      return { approved: true }
    }
    const policies = { policiesFor: () => limited({ usdPerDay }) }
    const steps = [{ toolCalls: [{ name: 'pay' }] }, 'Done.']
    const { orra } = world(steps, {}, { prices: free, policies, tools: [pay], hooks: [approvals({ ask })] })
    expect(await orra.run(bob, 'Pay')).toMatchObject({ text: 'Done.' })
    expect(paid).toBe(0)
  })

  it('counts once, however often it waits for a sub-agent', async () => {
    const pay = defineTool({ name: 'pay', description: 'Pays.', approval: 'always', execute: () => 'paid' })
    let tries = 0
    const ask = defineTool({
      name: 'ask',
      description: 'Asks.',
      idempotent: true,
      usd: 1,
      execute: async (_, { spawn }) => {
        tries += 1
        return (await spawn({ input: 'Pay', tools: ['pay'] })).text
      },
    })
    const call = (name: string, callId: string) => ({ toolCalls: [{ name, callId }] })
    const steps = [call('ask', 'a'), call('pay', 'p1'), call('pay', 'p2'), 'Paid.', 'Done.']
    const options = { prices: free, tools: [ask, pay], approvals: { suspend: true } }
    const { orra, counted } = world(steps, { usdPerDay: 10 }, options)
    let result = await orra.run(bob, 'Go')
    while (result.reason === 'suspended') {
      expect((await counted('usd')).used).toBe(0)
      for await (const { namespace, callId } of orra.approvals(bob)) {
        await orra.decide(Namespace.parse(namespace), callId, { approved: true, by: bob })
      }
      result = (await orra.resume(bob)) ?? result
    }
    expect(result).toMatchObject({ text: 'Done.' })
    expect(tries).toBe(3)
    expect(await counted('usd')).toEqual({ used: 1_000_000, reserved: 0 })
  })
})

describe('usage that a provider tells', () => {
  it.each([{ inputTokens: 1e300 }, { inputTokens: -5 }, { outputTokens: 0.5 }, { cacheReadTokens: Number.NaN }])(
    'is refused when it is no number of tokens: %o',
    async (usage) => {
      const { orra, counted, today } = world([{ text: 'Hi.', usage }], { tokensPerDay: 1e6 })
      expect(await codeOf(orra.run(bob, 'Hello'))).toBe('provider.bad-reply')
      const { used, reserved } = await counted()
      expect(reserved).toBe(0)
      // All that may have been made.
      expect(used).toBeGreaterThan(32_000)
      const { usage: told, cutOffCalls } = await today()
      expect({ told: told.inputTokens + told.outputTokens, cutOffCalls }).toEqual({ told: used, cutOffCalls: 1 })
    },
  )

  it('stays what can be counted, however much it is', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const { orra, today } = world(Array(3).fill({ text: 'Hi.', usage: { inputTokens: most } }), {})
    for (let run = 0; run < 3; run += 1) await orra.run(bob, 'Hello')
    expect(await today()).toMatchObject({ runs: 3, usage: { inputTokens: most, outputTokens: 15 } })
  })

  it('is nothing that a hook can change', async () => {
    const patch = { usage: 'lots', stopReason: 'whatever', model: 'mine' }
    const hooks = [{ afterModelCall: () => patch as object }]
    const { orra, today } = world(['Hi.'], {}, { hooks })
    expect(await orra.run(bob, 'Hello')).toMatchObject({ reason: 'completed', usage: { inputTokens: 10 } })
    expect(await today()).toMatchObject({ models: { 'scripted-1': { calls: 1, usage: { inputTokens: 10 } } } })
  })

  it('counts although a hook keeps the reply from being written', async () => {
    const hooks = [
      {
        afterModelCall() {
          throw new Error('no')
        },
      },
    ]
    const { orra, counted, today } = world(['Hi.'], { tokensPerDay: 1e6 }, { hooks })
    expect(await codeOf(orra.run(bob, 'Hello'))).toBe('hook.failed')
    expect(await counted()).toEqual({ used: 15, reserved: 0 })
    expect(await today()).toMatchObject({ runs: 1, cutOffCalls: 1, usage: { inputTokens: 10, outputTokens: 5 } })
  })
})

describe('a store that fails when something is settled', () => {
  const failing = (store: Store, failures = 1): Store => {
    let left = failures
    const settle: Store['counters']['settle'] = async (...args) => {
      if (left-- > 0) throw new Error('away')
      return store.counters.settle(...args)
    }
    return { ...store, counters: { ...store.counters, settle } }
  }

  it.each([
    ['a reply', { tokensPerDay: 1e6 }],
    ['a message', { runsPerDay: 5 }],
    ['a place among runs', { concurrentRuns: 5 }],
  ])('costs nobody %s, and is settled later', async (_, limits) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const store = memoryStore()
    const { orra } = world(['Hi.', 'Again.'], limits, { store: failing(store) })
    expect(await orra.run(bob, 'Hello')).toMatchObject({ text: 'Hi.' })
    const unsettled = async () => (await store.counters.list()).items.filter(({ reserved }) => reserved > 0)
    expect(await unsettled()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await unsettled()).toEqual([])
    expect(await orra.run(bob, 'Hello')).toMatchObject({ text: 'Again.' })
  })

  it('costs nobody the result of a tool', async () => {
    const paint = defineTool({ name: 'paint', description: 'Paints.', usd: 1, execute: () => 'painted' })
    const steps = [{ toolCalls: [{ name: 'paint' }] }, 'Done.']
    const options = { store: failing(memoryStore(), 9), prices: free, tools: [paint] }
    const { orra } = world(steps, { usdPerDay: 10 }, options)
    expect(await orra.run(bob, 'Paint')).toMatchObject({ text: 'Done.' })
    expect(await logOf(orra)).toContain('tool: result call-1: painted')
  })
})

describe('how long a reply may be', () => {
  it('is left to the provider where all of it is within the limits', async () => {
    const { orra, provider } = world(['Hi.'], { tokensPerDay: 1e6 })
    await orra.run(bob, 'Hello')
    expect(provider.requests[0]).not.toHaveProperty('maxOutputTokens')
  })

  it('is told where the limits leave less, and where the request says it', async () => {
    const { orra, provider } = world(['Hi.'], { tokensPerDay: 9000 })
    await orra.run(bob, 'Hello')
    expect(provider.requests[0]?.maxOutputTokens).toBeLessThan(9000)
    const hooks = [{ beforeModelCall: () => ({ request: { maxOutputTokens: 500 } }) }]
    const { orra: asking, provider: asked } = world(['Hi.'], { tokensPerDay: 9000 }, { hooks })
    await asking.run(bob, 'Hello')
    expect(asked.requests[0]?.maxOutputTokens).toBe(500)
  })
})

describe('a call that waits for its turn', () => {
  it('keeps nothing from others, and gives the turn back when it may not be made', async () => {
    const [gate, called] = [aSwitch(), aSwitch()]
    const steps = [announced(called, { text: 'One.', before: gate.promise }), 'Other.', 'Two.']
    const quota = modelQuota({ tokensPerMinute: 200 })
    const store = memoryStore()
    const { orra, counted } = world(steps, { tokensPerDay: 70_000 }, { store, quota, context: { windowTokens: 4000 } })
    const first = orra.run(bob, 'Hello')
    await called.promise
    const { reserved } = await counted()
    const left = new AbortController()
    const long = 'x'.repeat(2000)
    const waiting = orra.run(acme.child('user', 'eve'), long, { signal: left.signal })
    // Without a quota of its own it goes on at once, so what eve would hold would be seen here.
    const { orra: free } = scripted(['Hi.'], { store, policies: limited({ tokensPerDay: 70_000 }) })
    await free.run(acme.child('user', 'dan'), 'Hello')
    expect(await counted()).toMatchObject({ reserved })
    left.abort()
    expect(await waiting).toMatchObject({ reason: 'aborted' })
    gate.on()
    await first
  })

  it('gives its turn back when it is refused', async () => {
    const settled: number[] = []
    const quota = { enter: async () => ({ settle: (tokens: number) => void settled.push(tokens) }) }
    const { orra } = world(['Never.'], { tokensPerDay: 10 }, { quota })
    expect(await orra.run(bob, 'Hello')).toMatchObject({ reason: 'limit' })
    expect(settled).toEqual([0])
  })
})

describe('a call that is cut off', () => {
  it('counts what was sent and seen, in the limit and in the record alike', async () => {
    const steps = Array(5).fill({ text: 'word '.repeat(50), after: never })
    const { orra, counted, today } = world(steps, { tokensPerDay: 100_000 })
    for (let run = 0; run < 5; run += 1) {
      const stop = new AbortController()
      for await (const event of orra.stream(bob, 'Hello', { signal: stop.signal })) {
        if (event.type === 'text-delta') stop.abort()
        if (event.type === 'run-end') expect(event.reason).toBe('aborted')
      }
    }
    const { used, reserved } = await counted()
    expect(reserved).toBe(0)
    expect(used).toBeGreaterThan(5)
    expect(used).toBeLessThan(5000)
    const { runs, usage, models, cutOffCalls } = await today()
    expect(usage.inputTokens + usage.outputTokens).toBe(used)
    expect({ runs, cutOffCalls, calls: models['scripted-1']?.calls }).toEqual({ runs: 5, cutOffCalls: 5, calls: 5 })
  })

  it('counts what was sent and seen when the connection breaks, and settles its turn with that', async () => {
    const error = new OrraError('provider.connection', 'It broke.', { details: { provider: 'scripted' } })
    const settled: number[] = []
    const quota = { enter: async () => ({ settle: (tokens: number) => void settled.push(tokens) }) }
    const turn = { text: 'word '.repeat(350), error }
    const { orra, counted, today } = world([turn], { tokensPerDay: 100_000 }, { quota })
    expect(await codeOf(orra.run(bob, 'Hello'))).toBe('provider.connection')
    const { used } = await counted()
    // 350 words are as many tokens, and may be twice as many.
    expect(used).toBeGreaterThan(700)
    expect(used).toBeLessThan(3000)
    expect(settled).toEqual([used])
    const { usage, cutOffCalls } = await today()
    expect({ tokens: usage.inputTokens + usage.outputTokens, cutOffCalls }).toEqual({ tokens: used, cutOffCalls: 1 })
  })

  it('counts more the longer nothing was seen, and never more than was reserved', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    for (const [ms, least, most] of [
      [0, 1, 400],
      [20_000, 8000, 8400],
      [3_600_000, 32_000, 32_400],
    ] as const) {
      const called = aSwitch()
      const { orra, counted } = world([announced(called, { before: never })], { tokensPerDay: 100_000 })
      const stop = new AbortController()
      const run = orra.run(bob, 'Hello', { signal: stop.signal })
      await called.promise
      vi.advanceTimersByTime(ms)
      stop.abort()
      await run
      const { used } = await counted()
      expect(used).toBeGreaterThanOrEqual(least)
      expect(used).toBeLessThanOrEqual(most)
    }
  })

  it('by the end of its runtime is in the record, too', async () => {
    const store = memoryStore()
    const called = aSwitch()
    const { orra, counted } = world([announced(called, { before: never })], { tokensPerDay: 100_000 }, { store })
    const run = codeOf(orra.run(bob, 'Hello'))
    await called.promise
    await orra.close()
    expect(await run).toBe('runtime.closed')
    const { orra: next, today } = world(['Hi.'], {}, { store })
    expect(await today()).toMatchObject({ runs: 0, cutOffCalls: 1 })
    const { inputTokens, outputTokens } = (await today()).usage
    expect((await counted()).used).toBe(inputTokens + outputTokens)
    await next.resume(bob)
    expect(await today()).toMatchObject({ runs: 1, cutOffCalls: 1, models: { 'scripted-1': { calls: 2 } } })
  })

  const details = { provider: 'scripted' }
  it.each([
    ['nothing when it was refused', new OrraError('provider.auth', 'No.', { details }), false],
    [
      'nothing when it was answered with a status',
      new OrraError('provider.unavailable', 'No.', { details: { ...details, status: 529 } }),
      false,
    ],
    ['what was sent when nobody answered', new OrraError('provider.unavailable', 'No.', { details }), true],
    ['what was sent when the connection broke', new OrraError('provider.connection', 'No.', { details }), true],
    ['what was sent when nobody knows why', new Error('No.'), true],
  ])('before anything came counts %s', async (_, error, counts) => {
    const { orra, counted, today } = world([{ error }], { tokensPerDay: 100_000 })
    await codeOf(orra.run(bob, 'Hello'))
    const { used, reserved } = await counted()
    expect({ counts: used > 0, reserved }).toEqual({ counts, reserved: 0 })
    expect(used).toBeLessThan(300)
    const { usage, cutOffCalls } = await today()
    expect(usage).toMatchObject({ inputTokens: used, outputTokens: 0 })
    expect(cutOffCalls).toBe(counts ? 1 : 0)
  })
})
