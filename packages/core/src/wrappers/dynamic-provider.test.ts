import { scriptedProvider } from '@orra/conformance'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure, hear, hello, played } from '../../test/played-provider.ts'
import { createRuntime } from '../create-runtime.ts'
import { type ToolMessage, textOf } from '../message.ts'
import { Namespace } from '../namespace.ts'
import { defineTool } from '../tool.ts'
import { dynamicProvider } from './dynamic-provider.ts'

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const image = { type: 'image', mediaType: 'image/png', data: '' } as const

describe('a dynamic provider', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('fails every call until it has a provider, and says which setting that is', async () => {
    const provider = dynamicProvider()
    expect((await hear(provider)).error).toMatchObject({
      code: 'provider.unconfigured',
      details: { provider: 'dynamic', setting: 'provider' },
    })
    expect([provider.name, provider.model, provider.limits]).toEqual(['dynamic', '', undefined])
    expect(provider.mediaTokens?.(image, '')).toBeUndefined()
    provider.use(played([{}]))
    expect((await hear(provider)).finish).toMatchObject({ model: 'played-1', provider: 'played' })
    provider.use(undefined)
    expect((await hear(provider)).error).toMatchObject({ code: 'provider.unconfigured' })
  })

  it('says of itself what the present one says', () => {
    const limits = { contextWindow: 8000, maxOutputTokens: 1000 }
    const provider = dynamicProvider(played([], { name: 'a' }))
    const { mediaTokens } = provider
    expect([provider.name, provider.model, provider.limits]).toEqual(['a', 'a-1', undefined])
    provider.use({ ...played([], { name: 'b', limits }), mediaTokens: () => 7 })
    expect([provider.name, provider.model, provider.limits]).toEqual(['b', 'b-1', limits])
    expect(mediaTokens?.(image, 'b-1')).toBe(7)
  })

  it('goes on with a call as it began', async () => {
    const [a, b] = [played([{ says: ['a', 100, 'a'] }], { name: 'a' }), played([{}], { name: 'b' })]
    const provider = dynamicProvider(a)
    const begun = provider.stream(hello)
    provider.use(b)
    const first = hear({ ...provider, stream: () => begun })
    await vi.advanceTimersByTimeAsync(100)
    expect(await first).toMatchObject({ said: ['a', 'a'], finish: { provider: 'a' } })
    expect(await hear(provider)).toMatchObject({ finish: { provider: 'b' } })
    expect([a.requests.length, b.requests.length]).toEqual([1, 1])
  })

  it('asks for its own model where a request was made while there was none, if it may', async () => {
    const inner = played([{}])
    const provider = dynamicProvider(inner)
    await hear(provider, {}, { ...hello, model: '' })
    await hear(provider, {}, { ...hello, model: 'other' })
    expect(inner.requests.map(({ model }) => model)).toEqual(['played-1', 'other'])
    const { error } = await hear(provider, { mayUse: (model) => model === '' }, { ...hello, model: '' })
    expect(error).toMatchObject({ code: 'provider.denied', details: { models: ['played-1'] } })
    expect(inner.requests).toHaveLength(2)
  })

  it('hands on what it is given, leaves errors as they are, and closes what is left early', async () => {
    const error = failure('provider.auth')
    const inner = played([{ end: error }, { says: ['a', 'b'] }])
    const provider = dynamicProvider(inner)
    const call = { signal: new AbortController().signal, mayUse: () => true, connected: () => {} }
    expect((await hear(provider, call)).error).toBe(error)
    expect(inner.calls).toEqual([call])
    for await (const _ of provider.stream(hello)) break
    expect(inner.open).toBe(0)
  })

  it('refuses what is no provider, and itself', () => {
    const provider = dynamicProvider()
    expect(() => provider.use({} as never)).toThrow('"provider"')
    expect(() => provider.use(null as never)).toThrow('"provider"')
    expect(() => provider.use(provider)).toThrow('itself')
    expect(() => dynamicProvider('anthropic' as never)).toThrow('"provider"')
  })
})

describe('a runtime with a dynamic provider', () => {
  it('begins without one, and goes on with another', async () => {
    const provider = dynamicProvider()
    await using orra = createRuntime({ provider })
    await expect(orra.run(bob, 'Hello')).rejects.toMatchObject({ code: 'provider.unconfigured' })
    const [a, b] = [played([{ says: ['A.'] }], { name: 'a' }), played([{ says: ['B.'] }], { name: 'b' })]
    provider.use(a)
    expect((await orra.run(bob, 'Hello')).text).toBe('A.')
    provider.use(b)
    expect((await orra.run(bob, 'Hello')).text).toBe('B.')
    expect([a.requests.map(({ model }) => model), b.requests.map(({ model }) => model)]).toEqual([['a-1'], ['b-1']])
  })

  it('sends what fits the present one, though both call their model the same', async () => {
    const sized = (contextWindow: number) =>
      played([{}], { model: 'm', limits: { contextWindow, maxOutputTokens: contextWindow / 4 } })
    const provider = dynamicProvider(sized(100_000))
    await using orra = createRuntime({ provider })
    const budgets: number[] = []
    for (const contextWindow of [100_000, 4000, 100_000]) {
      provider.use(sized(contextWindow))
      for await (const event of orra.stream(bob, 'Hello')) {
        if (event.type === 'model-call-start') budgets.push(event.context.budgetTokens)
      }
    }
    expect(budgets).toEqual([75_000, 3000, 75_000])
    provider.use(sized(4000))
    await expect(orra.run(bob, 'Hello! '.repeat(4000))).rejects.toMatchObject({ code: 'context.too-long' })
  })

  it('gives results page by page, as long as the present one can take them', async () => {
    const big = defineTool({
      name: 'big',
      description: 'Says much.',
      readOnly: true,
      execute: () => 'word '.repeat(9000),
    })
    const lengths: number[] = []
    for (const contextWindow of [128_000, 8000]) {
      const provider = dynamicProvider()
      await using orra = createRuntime({ provider, tools: [big] })
      const steps = [{ name: 'big' }, { name: 'read_result', input: { result: 5 } }]
      const limits = { contextWindow, maxOutputTokens: 1000 }
      provider.use(scriptedProvider([...steps.map((call) => ({ toolCalls: [call] })), 'Done.'], { limits }))
      await orra.run(bob, 'Hello')
      const last = (await orra.session(bob).messages()).filter(({ role }) => role === 'tool').at(-1) as ToolMessage
      lengths.push(textOf(last.content[0]?.content ?? []).length)
    }
    const [large = 0, small = 0] = lengths
    expect(large).toBeGreaterThan(20_000)
    expect(small).toBeLessThan(8000)
  })

  it('sends results as long as the present one can take them', async () => {
    const much = 'word '.repeat(9000)
    const big = defineTool({ name: 'big', description: 'Says much.', readOnly: true, execute: () => much })
    const provider = dynamicProvider()
    await using orra = createRuntime({ provider, tools: [big] })
    const lengths: number[] = []
    for (const contextWindow of [8000, 128_000]) {
      const steps = [{ toolCalls: [{ name: 'big' }] }, 'Done.']
      const inner = scriptedProvider(steps, { limits: { contextWindow, maxOutputTokens: 1000 } })
      provider.use(inner)
      await orra.run(bob, 'Hello')
      const sent =
        inner.requests[1]?.messages.filter((message): message is ToolMessage => message.role === 'tool') ?? []
      lengths.push(...sent.map(({ content: [result] }) => textOf(result?.content ?? []).length))
    }
    const [small = 0, ...large] = lengths
    expect(small).toBeLessThan(8000)
    expect(large).toHaveLength(2)
    for (const length of large) expect(length).toBeGreaterThan(20_000)
  })

  it('has summaries written by the present one', async () => {
    const provider = dynamicProvider()
    await using orra = createRuntime({ provider })
    const inner = played([{ says: ['x '.repeat(400)] }, { says: ['x '.repeat(400)] }, { says: ['A summary.'] }])
    provider.use(inner)
    for (let run = 0; run < 2; run += 1) await orra.run(bob, 'Hello')
    expect(await orra.compact(bob)).toMatchObject({ summary: 'A summary.' })
    expect(inner.requests.map(({ model }) => model)).toEqual(['played-1', 'played-1', 'played-1'])
  })
})
