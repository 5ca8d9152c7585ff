import {
  approvals,
  defineTool,
  isOrraError,
  memoryStore,
  Namespace,
  type Policies,
  priceTable,
  type RuntimeOptions,
} from '@orra/core'
import { describe, expect, it } from 'vitest'
import { alice, aSwitch, bob, codeOf, logOf, scripted } from './harness.ts'

const acme = Namespace.of('tenant', 'acme')
const other = Namespace.of('tenant', 'other', 'user', 'bob')
const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })
const looking = { toolCalls: [{ name: 'look' }] }
const limits = (held: object, where = 'tenant:*'): Policies => ({ [where]: { limits: held } }) as Policies
const prices = priceTable({ 'scripted-*': { input: 1, output: 2 } })
/** A window that a test of a few milliseconds cannot leave: the month of a clock that stands still for it. */
const run = (steps: Parameters<typeof scripted>[0], held: object, options: Partial<RuntimeOptions> = {}) =>
  scripted(steps, { policies: limits(held), tools: [look], ...options })

describe('a limit', () => {
  it('of messages refuses the next one, for all who share it and nobody else', async () => {
    const { orra } = run(['One.', 'Two.', 'Other.'], { runsPerMonth: 2 })
    await orra.run(bob, 'Hello')
    await orra.run(alice, 'Hello')
    expect(await codeOf(orra.run(bob, 'Again'))).toBe('limit.reached')
    expect(await codeOf(orra.submit(alice, 'Again'))).toBe('limit.reached')
    expect(await orra.run(other, 'Hello')).toMatchObject({ text: 'Other.' })
    expect(await logOf(orra)).not.toContain('input: Again')
  })

  it('of messages counts one that comes twice once, and one that cannot be accepted not at all', async () => {
    const { orra } = run(['One.', 'Two.'], { runsPerMonth: 2 })
    await orra.run(bob, 'Hello', { key: 'one' })
    await orra.run(bob, 'Hello', { key: 'one' })
    await orra.submit(bob, 'Wait')
    expect(await codeOf(orra.submit(bob, 'Now'))).toBe('limit.reached')
    const { orra: free } = run(['One.', 'Two.'], { runsPerMonth: 2 })
    await free.submit(bob, 'Wait')
    expect(await codeOf(free.submit(bob, 'Now', { whenBusy: 'reject' }))).toBe('session.busy')
    await free.submit(bob, 'Also')
  })

  it('of messages lets nobody wait in vain for a message that was accepted before', async () => {
    const { orra } = run(['One.'], { runsPerMonth: 1 })
    await orra.run(bob, 'Hello', { key: 'one' })
    expect(await orra.run(bob, 'Hello', { key: 'one' })).toMatchObject({ text: 'One.' })
    expect(await orra.submit(bob, 'Hello', { key: 'one' })).toBe('one')
    expect(await codeOf(orra.submit(bob, 'Hello', { key: 'two' }))).toBe('limit.reached')
    expect(await codeOf(orra.submit(alice, 'Hello', { key: 'one' }))).toBe('limit.reached')
  })

  it('of messages does not count what sub-agents are asked', async () => {
    const ask = defineTool({
      name: 'ask',
      description: 'Asks.',
      idempotent: true,
      execute: async (_, { spawn }) => (await spawn({ input: 'Say it' })).text,
    })
    const { orra } = run([{ toolCalls: [{ name: 'ask' }] }, 'It.', 'Done.'], { runsPerMonth: 1 }, { tools: [ask] })
    expect(await orra.run(bob, 'Go')).toMatchObject({ text: 'Done.' })
    expect((await logOf(orra)).join('\n')).toContain('result call-1: It.')
  })

  it('of turns is the smaller of what is asked and what is allowed', async () => {
    for (const [maxTurns, asked, made] of [
      [2, undefined, 2],
      [2, 1, 1],
      [2, 5, 2],
    ] as const) {
      const { orra, provider } = run([looking, looking, looking], { maxTurns })
      expect(await orra.run(bob, 'Look', asked ? { maxTurns: asked } : {})).toMatchObject({ reason: 'max-turns' })
      expect(provider.requests).toHaveLength(made)
    }
  })

  it('of tool calls ends the run, with results for all', async () => {
    const both = { toolCalls: [{ name: 'look' }, { name: 'look' }] }
    const { orra } = run([looking, both], { toolCallsPerRun: 2 })
    const result = await orra.run(bob, 'Look')
    expect(result).toMatchObject({ reason: 'limit', denial: expect.stringContaining('2 times') })
    expect((await logOf(orra)).filter((line) => line.startsWith('tool: error'))).toHaveLength(2)
  })

  it('of time ends the run and stops what it does', async () => {
    const stopped = aSwitch()
    const slow = defineTool({
      name: 'look',
      description: 'Looks for ever.',
      execute: (_, { signal }) =>
        new Promise<string>(() => {
          signal.addEventListener('abort', stopped.on)
        }),
    })
    const { orra } = run([looking], { runTimeMs: 5 }, { tools: [slow] })
    expect(await orra.run(bob, 'Look')).toMatchObject({ reason: 'limit', denial: expect.stringContaining('5 ms') })
    await stopped.promise
  })

  it('of time does not run while somebody is asked', async () => {
    const ask = () =>
      new Promise<{ approved: boolean }>((resolve) => {
        const begun = performance.now()
        const look = () => (performance.now() - begun > 60 ? resolve({ approved: true }) : setImmediate(look))
        look()
      })
    const asked = defineTool({ name: 'look', description: 'Looks.', approval: 'always', execute: () => 'seen' })
    const { orra } = run([looking, 'Done.'], { runTimeMs: 50 }, { tools: [asked], hooks: [approvals({ ask })] })
    expect(await orra.run(bob, 'Look')).toMatchObject({ text: 'Done.' })
  })

  it('of tokens ends the run before a call that would pass it', async () => {
    const { orra, provider } = run([looking, 'Never.'], { tokensPerDay: 1000 }, { context: { windowTokens: 4000 } })
    const used = { ...looking, usage: { inputTokens: 600, outputTokens: 300 } }
    const { orra: spent, provider: model } = run([used, 'Never.'], { tokensPerDay: 1000 })
    expect(await spent.run(bob, 'Look')).toMatchObject({ reason: 'limit', denial: expect.stringContaining('tokens') })
    expect(model.requests).toHaveLength(1)
    expect(model.requests[0]?.maxOutputTokens).toBeLessThan(1000)
    expect(await orra.run(bob, 'Look')).toMatchObject({ text: 'Never.' })
    expect(provider.requests).toHaveLength(2)
  })

  it('of money needs a price, and holds for a whole tenant', async () => {
    const { orra: unpriced } = run(
      ['Never.'],
      { usdPerDay: 1 },
      { prices: priceTable({ 'other-*': { input: 1, output: 1 } }) },
    )
    expect(await unpriced.run(bob, 'Hello')).toMatchObject({
      reason: 'limit',
      denial: expect.stringContaining('price'),
    })
    const dear = { text: 'Dear.', usage: { inputTokens: 400_000, outputTokens: 300_000 } }
    const { orra } = run([dear, 'Never.', 'Other.'], { usdPerDay: 1 }, { prices })
    await orra.run(bob, 'Hello')
    expect(await orra.run(alice, 'Hello')).toMatchObject({
      reason: 'limit',
      denial: expect.stringContaining('US dollar'),
    })
    expect(await orra.usage(acme, 'day')).toMatchObject({ runs: 2, usd: 1, models: { 'scripted-1': { calls: 1 } } })
    expect(await orra.usage(bob, 'month')).toMatchObject({ runs: 1, usd: 1 })
    expect(await orra.usage(other, 'day')).toMatchObject({ runs: 0, usd: 0 })
  })

  it('of money counts what tools cost', async () => {
    const paint = defineTool({ name: 'look', description: 'Paints.', usd: 0.4, execute: () => 'painted' })
    const { orra } = run([looking, looking, looking, 'Done.'], { usdPerDay: 1 }, { prices, tools: [paint] })
    await orra.run(bob, 'Paint')
    const results = (await logOf(orra)).filter((line) => line.startsWith('tool: '))
    expect(results.map((line) => line.includes('result'))).toEqual([true, true, false])
  })

  it('of runs at the same time has the next one wait', async () => {
    const [begun, free] = [aSwitch(), aSwitch()]
    const first = { text: 'First.', before: free.promise }
    const { orra, provider } = run(
      [
        () => {
          begun.on()
          return first
        },
        'Second.',
      ],
      { concurrentRuns: 1 },
    )
    const one = orra.run(bob, 'Hello')
    await begun.promise
    const events = orra.stream(alice, 'Hello')[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'waiting' })
    expect(provider.requests).toHaveLength(1)
    free.on()
    await one
    for (;;) {
      const { value } = await events.next()
      if (value?.type === 'run-end') {
        expect(value).toMatchObject({ text: 'Second.' })
        break
      }
    }
  })

  it('leaves nothing reserved', async () => {
    const store = memoryStore()
    const held = { concurrentRuns: 3, usdPerDay: 9, tokensPerHour: 1e6, runsPerMinute: 50, tokensPerDay: 1e7 }
    const failing = { text: 'Oh', error: new Error('broken') }
    const { orra } = run(['One.', looking, 'Two.', failing], held, { prices, store })
    await orra.run(bob, 'One')
    await orra.run(bob, 'Two')
    await orra.run(bob, 'Three').catch(() => {})
    const { items } = await store.counters.list({ within: acme })
    expect(items.length).toBeGreaterThan(3)
    expect(items.filter(({ reserved }) => reserved > 0)).toEqual([])
  })
})

describe('a policy source', () => {
  it('that cannot be had lets nothing in', async () => {
    const policies = {
      policiesFor() {
        throw new Error('The database is away.')
      },
    }
    const { orra } = scripted(['Never.'], { policies })
    expect(await codeOf(orra.run(bob, 'Hello'))).toBe('policy.unreachable')
    expect(await codeOf(orra.submit(bob, 'Hello'))).toBe('policy.unreachable')
    expect(await logOf(orra)).toEqual([])
  })

  it('that is lost in the middle of a run denies what is left of it', async () => {
    let away = false
    const policies = {
      policiesFor() {
        if (away) throw new Error('The database is away.')
        return {}
      },
    }
    const tool = defineTool({
      name: 'look',
      description: 'Looks.',
      execute: () => {
        away = true
        return 'seen'
      },
    })
    const { orra, provider } = scripted([looking, 'Never.'], { policies, tools: [tool] })
    expect(await orra.run(bob, 'Look')).toMatchObject({ reason: 'denied' })
    expect(provider.requests).toHaveLength(1)
  })
})

describe('recover', () => {
  it('says whose policies cannot be had, does what can be done, and is idle then', async () => {
    const policies = {
      policiesFor({ segments }: Namespace) {
        if (segments[1] === 'acme') throw new Error('A row is broken.')
        return {}
      },
    }
    const store = memoryStore()
    const before = scripted([], { store })
    await before.orra.submit(bob, 'Wait')
    await before.orra.submit(other, 'Go')
    const told: string[] = []
    const { orra } = scripted(['Done.'], { store, policies })
    await orra.recover({
      untilIdle: true,
      pollMs: 5,
      onError: (error, namespace) => void told.push(`${isOrraError(error) ? error.code : error} ${namespace?.key}`),
    })
    expect(told).toContain(`policy.unreachable ${bob.key}`)
    expect((await logOf(orra, other)).at(-1)).toBe('run-ended completed')
    expect(await logOf(orra)).toEqual(['input: Wait'])
  })
})

describe('a runtime', () => {
  it('limits no dollars without prices', () => {
    expect(() => run([], { usdPerDay: 1 })).toThrow('"prices"')
  })
})

describe('explain', () => {
  it('names the rule', async () => {
    const policies = { tenant: { tools: { deny: ['ex*'] }, approval: { 'look*': 'always' } } } as const
    const { orra } = scripted([], { policies })
    expect(await orra.explain(bob, { type: 'tool', name: 'exec' })).toMatchObject({
      allowed: false,
      rule: 'tenant: tools.deny ex*',
    })
    expect(await orra.explain(bob, { type: 'tool', name: 'look' })).toMatchObject({
      allowed: true,
      approval: { level: 'always' },
    })
    const byInput = defineTool({ name: 'pay', description: 'Pays.', approval: () => 'never', execute: () => 'paid' })
    const { orra: asking } = scripted([], { tools: [byInput] })
    expect(await asking.explain(bob, { type: 'tool', name: 'pay' })).toMatchObject({ approval: { level: 'by-input' } })
    expect(await orra.explain(Namespace.of('x'), { type: 'model', name: 'any' })).toMatchObject({ allowed: true })
  })
})
