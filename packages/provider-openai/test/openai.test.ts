import { defineTool, type Message, type ModelEvent } from '@orra/core'
import { openai } from '@orra/provider-openai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { ask, bob, collect, failureOf, openaiLoopback, played, sse } from './openai-loopback.ts'
import {
  call,
  completed,
  created,
  failed,
  incomplete,
  message,
  refusal,
  response,
  streamed,
  thought,
} from './reply-events.ts'

const weather = defineTool({
  name: 'weather',
  description: 'Tells the weather of a city.',
  input: z.object({ city: z.string() }),
  readOnly: true,
  execute: ({ city }) => `Sunny in ${city}.`,
})

const textIn = (events: readonly ModelEvent[], type = 'text-delta') =>
  events.flatMap((event) => (event.type === type && 'text' in event ? [event.text] : [])).join('')

describe.each([{ streaming: true }, { streaming: false }])('a reply, with %o', (options) => {
  it('comes with its text, its end and its cost', async () => {
    await using api = await openaiLoopback({ ...options, model: 'gpt-4.1' })
    api.server.onMessage('Hello', { content: 'Hello, Bob! How are you today?' })
    const connected = vi.fn()
    const events = await collect(api.provider, ask('Hello', { instructions: 'Be brief.' }), { connected })
    expect(connected).toHaveBeenCalledTimes(1)
    expect(textIn(events)).toBe('Hello, Bob! How are you today?')
    expect(events.at(-1)).toMatchObject({
      type: 'finish',
      message: { role: 'assistant', content: [{ type: 'text', text: textIn(events) }] },
      stopReason: 'stop',
      model: 'gpt-4.1',
    })
    expect(api.bodies[0]).toMatchObject({ model: 'gpt-4.1', instructions: 'Be brief.', store: false })
    expect(api.bodies[0]).not.toHaveProperty('max_output_tokens')
  })

  it('asks for several tools at once and gets all their results', async () => {
    await using api = await openaiLoopback({ ...options, model: 'gpt-4.1' })
    const toolCalls = [
      { name: 'weather', arguments: { city: 'Rome' }, id: 'call_1' },
      { name: 'weather', arguments: { city: 'Oslo' }, id: 'call_2' },
    ]
    api.server.on({ hasToolResult: false }, { content: 'Let me look.', toolCalls })
    api.server.on({ hasToolResult: true }, { content: 'Sunny in both.' })
    const orra = api.runtime({ tools: [weather], instructions: 'Be brief.' })
    expect((await orra.run(bob, 'Rome and Oslo?')).text).toBe('Sunny in both.')
    expect(api.bodies[0]?.tools?.[0]).toMatchObject({
      type: 'function',
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    })
    expect(api.bodies[1]?.input.map(({ type }) => type)).toEqual([
      ...['message', 'message', 'function_call', 'function_call', 'function_call_output', 'function_call_output'],
    ])
    expect(api.bodies[1]?.input.slice(2)).toMatchObject([
      { call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { call_id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
      { call_id: 'call_1', output: 'Sunny in Rome.' },
      { call_id: 'call_2', output: 'Sunny in Oslo.' },
    ])
  })

  it('has its thoughts carried back whole over tool turns', async () => {
    await using api = await openaiLoopback({ ...options, reasoning: { effort: 'low', summary: 'auto' } })
    const toolCalls = [{ name: 'weather', arguments: { city: 'Rome' }, id: 'call_1' }]
    api.server.on({ hasToolResult: false }, { reasoning: 'I should look.', toolCalls })
    api.server.on({ hasToolResult: true }, { content: 'Sunny.' })
    expect((await api.runtime({ tools: [weather] }).run(bob, 'Rome?')).text).toBe('Sunny.')
    expect(api.bodies[0]).toMatchObject({
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    })
    expect(api.bodies[1]?.input[1]).toMatchObject({
      type: 'reasoning',
      id: expect.stringMatching(/^rs/),
      summary: [{ type: 'summary_text', text: 'I should look.' }],
      encrypted_content: expect.stringMatching(/./),
    })
    expect(api.bodies[1]?.input[2]).toMatchObject({ type: 'function_call', id: expect.stringMatching(/^fc/) })
  })

  it('can be stopped before it is asked for, and before it begins', async () => {
    const asked = Promise.withResolvers<void>()
    const never: typeof fetch = (_, init) => {
      asked.resolve()
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    }
    await using api = await openaiLoopback({ ...options, fetch: never })
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = failureOf(collect(api.provider, ask('Hello'), { signal: stop.signal }))
    await asked.promise
    stop.abort(reason)
    expect(await reading).toBe(reason)
    expect(await failureOf(collect(api.provider, ask('Hello'), { signal: stop.signal }))).toBe(reason)
    expect(api.bodies).toHaveLength(1)
  })
})

/** The same reply, streamed and in one piece, ends the same. */
async function finishOf(...items: readonly ReturnType<typeof message>[]) {
  const events = [created, ...items.flatMap((item, index) => streamed(item, index)), completed({ output: items })]
  const streamedEvents = await collect(played(sse(...events)), ask('Hello'))
  const whole = played(JSON.stringify(response({ output: items })), { streaming: false })
  const wholeEvents = await collect(whole, ask('Hello'))
  expect(streamedEvents.at(-1)).toEqual(wholeEvents.at(-1))
  expect(textIn(streamedEvents)).toBe(textIn(wholeEvents))
  expect(textIn(streamedEvents, 'reasoning-delta')).toBe(textIn(wholeEvents, 'reasoning-delta'))
  return streamedEvents.at(-1)
}

describe('what a reply holds', () => {
  it('is its text, under its id, and its cost', async () => {
    expect(await finishOf(message('Hi', { phase: 'final_answer' }))).toEqual({
      type: 'finish',
      message: {
        role: 'assistant',
        content: [
          {
            type: 'text',
            text: 'Hi',
            providerData: { openai: { id: 'msg_1', model: 'gpt-5.2', items: 1, phase: 'final_answer' } },
          },
        ],
      },
      stopReason: 'stop',
      usage: { inputTokens: 120, outputTokens: 30, cacheReadTokens: 100, cacheWriteTokens: 7 },
      model: 'gpt-5.2-2026-01-01',
    })
  })

  it('is thoughts with what only the model can read', async () => {
    const finish = await finishOf(thought(['First.', 'Then.']), message('Hi'))
    const openaiData = {
      id: 'rs_1',
      model: 'gpt-5.2',
      items: 2,
      encryptedContent: 'sealed',
      summary: ['First.', 'Then.'],
    }
    expect(finish).toMatchObject({
      message: { content: [{ type: 'reasoning', text: 'First.\n\nThen.', providerData: { openai: openaiData } }, {}] },
    })
    expect(await finishOf(thought([]), message('Hi'))).toMatchObject({
      message: {
        content: [{ type: 'reasoning', text: '', providerData: { openai: { encryptedContent: 'sealed' } } }, {}],
      },
    })
  })

  it('is thoughts that a server shows', async () => {
    const content = [{ type: 'reasoning_text', text: 'Hm.' }]
    expect(await finishOf(thought([], { content, encrypted_content: null }), message('Hi'))).toMatchObject({
      message: { content: [{ type: 'reasoning', text: 'Hm.' }, {}] },
    })
  })

  it('is a refusal, in its words', async () => {
    expect(await finishOf(refusal('I would rather not.'))).toMatchObject({
      message: { content: [{ type: 'text', text: 'I would rather not.' }] },
      stopReason: 'refused',
    })
  })

  it.each([
    ['of JSON', '{"city":"Rome"}', { city: 'Rome' }],
    ['of nothing', '', {}],
    ['that is no JSON', '{"city":', '{"city":'],
    ['that is no object', '[1]', [1]],
  ])('is a tool’s input %s', async (_, written, input) => {
    expect(await finishOf(call('call_1', written))).toMatchObject({
      message: { content: [{ type: 'tool-call', callId: 'call_1', name: 'weather', input }] },
      stopReason: 'tool-calls',
    })
  })

  it('is several calls, which are given ids where they have none', async () => {
    const items = [call('a', '{}'), call('b', '{}'), call('', '{}', { id: undefined })]
    const events = [created, ...items.flatMap((item, index) => streamed(item, index)), completed()]
    const finish = (await collect(played(sse(...events)), ask('Hello'))).at(-1)
    expect(finish).toMatchObject({
      message: { content: [{ callId: 'a' }, { callId: 'b' }, { callId: expect.stringMatching(/^\w{9}$/) }] },
    })
  })

  it('leaves out what ran at the provider', async () => {
    expect(await finishOf({ type: 'web_search_call', id: 'ws_1' }, message('Hi'))).toMatchObject({
      message: { content: [{ type: 'text', text: 'Hi' }] },
    })
  })

  it('goes without ids where not all of it can come back', async () => {
    const hosted = { type: 'web_search_call', id: 'ws_1' }
    for (const items of [
      [hosted, message('Hi')],
      [thought(['Hm.']), message('')],
      [thought(['Hm.']), message('Hi', { id: '' })],
    ]) {
      expect(JSON.stringify(await finishOf(...items))).not.toContain('providerData')
    }
  })

  it('keeps a summary apart from the thoughts that a server shows', async () => {
    const shown = thought(['Short.'], { content: [{ type: 'reasoning_text', text: 'Long.' }] })
    expect(await finishOf(shown, message('Hi'))).toMatchObject({
      message: { content: [{ text: 'Short.\n\nLong.', providerData: { openai: { summary: ['Short.'] } } }, {}] },
    })
  })
})

describe('a stream', () => {
  const play = (...events: readonly { readonly type: string }[]) => collect(played(sse(...events)), ask('Hello'))

  it('shows text, refusals and thoughts while they come', async () => {
    const events = await play(
      created,
      ...streamed(thought(['Hm, yes.']), 0, ['Hm,', ' yes.']),
      ...streamed(message('Hello you'), 1, ['Hello', '', ' you']),
      ...streamed(refusal('No.'), 2, ['N', 'o.']),
      completed(),
    )
    expect(events.slice(0, -1)).toEqual([
      { type: 'reasoning-delta', text: 'Hm,' },
      { type: 'reasoning-delta', text: ' yes.' },
      { type: 'text-delta', text: 'Hello' },
      { type: 'text-delta', text: ' you' },
      { type: 'text-delta', text: 'N' },
      { type: 'text-delta', text: 'o.' },
    ])
    expect(events.at(-1)).toMatchObject({
      message: { content: [{ text: 'Hm, yes.' }, { text: 'Hello you' }, { text: 'No.' }] },
    })
  })

  it('keeps two thoughts of one item apart, as the whole does', async () => {
    const [begun, ...rest] = streamed(thought(['One.', 'Two.']), 0, ['One.', 'Two.'])
    const [first, second, done] = rest.map((event, index) => ({ ...event, summary_index: index }))
    const events = await play(created, begun as never, first as never, second as never, done as never, completed())
    expect(textIn(events, 'reasoning-delta')).toBe('One.\n\nTwo.')
    expect(events.at(-1)).toMatchObject({ message: { content: [{ text: 'One.\n\nTwo.' }] } })
  })

  it('may never say that an item is done', async () => {
    const unfinished = (item: ReturnType<typeof call>, index: number, pieces: readonly string[]) =>
      streamed(item, index, pieces).slice(0, -1)
    const events = await play(
      created,
      ...unfinished(thought(['Hm.']), 0, ['Hm.']),
      ...unfinished(message('Hi'), 1, ['H', 'i']),
      ...unfinished(call('a', ''), 2, ['{"city":', '"Rome"}']),
      completed(),
    )
    expect(events.at(-1)).toMatchObject({
      message: { content: [{ text: 'Hm.' }, { text: 'Hi' }, { input: { city: 'Rome' } }] },
    })
  })

  it('may hold all it has in its last event', async () => {
    expect((await play(created, completed({ output: [message('Hi')] }))).at(-1)).toMatchObject({
      message: { content: [{ text: 'Hi' }] },
    })
  })

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'refused'],
  ])('that is incomplete for %s ends with %s', async (reason, stopReason) => {
    const events = await play(created, ...streamed(call('a', '{"ci'), 0, ['{"ci']), incomplete(reason))
    expect(events.at(-1)).toMatchObject({ stopReason })
  })

  it.each([
    ['server_error', 'provider.unavailable', true],
    ['rate_limit_exceeded', 'provider.rate-limited', true],
    ['insufficient_quota', 'provider.auth', false],
    ['context_length_exceeded', 'provider.context-too-long', false],
    ['vector_store_timeout', 'provider.connection', true],
    ['failed_to_download_image', 'provider.bad-request', false],
    ['invalid_prompt', 'provider.bad-request', false],
    ['image_content_policy_violation', 'provider.bad-request', false],
    ['what_nobody_knows', 'provider.bad-request', false],
    [undefined, 'provider.unavailable', true],
  ])('that fails with %s is a typed error, however it is told', async (code, expected, retryable) => {
    const error = { code, message: 'secret words' }
    for (const event of [failed(error), { type: 'error', ...error }, { type: 'error', error }]) {
      const failure = await failureOf(play(created, event))
      expect(failure).toMatchObject({ code: expected, retryable, details: { provider: 'openai' } })
      expect((failure as Error).message).not.toContain('secret')
    }
  })

  it('that ends before the reply does is a connection error', async () => {
    for (const events of [[created], [created, ...streamed(message('Hi'), 0, ['H'])]]) {
      expect(await failureOf(play(...events))).toMatchObject({ code: 'provider.connection', retryable: true })
    }
    expect(await failureOf(play(created, completed({ status: 'cancelled' })))).toMatchObject({
      code: 'provider.connection',
    })
  })

  it('that is cut in the middle is a connection error', async () => {
    await using api = await openaiLoopback()
    api.server.onMessage('Hello', { content: 'word '.repeat(50) }, { truncateAfterChunks: 3, latency: 1 })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({
      code: 'provider.connection',
      retryable: true,
    })
    const torn = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(sse(created))),
      pull: (controller) => controller.error(new TypeError('terminated')),
    })
    expect(
      await failureOf(
        collect(
          played(() => new Response(torn)),
          ask('Hello'),
        ),
      ),
    ).toMatchObject({
      code: 'provider.connection',
      retryable: true,
    })
  })

  it('that is split between any two bytes stays whole', async () => {
    const text = '日本 😀'
    const bytes = Buffer.from(sse(created, ...streamed(message(text), 0, [text]), completed()))
    const body = () =>
      new ReadableStream({
        start(controller) {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
          controller.close()
        },
      })
    const events = await collect(
      played(() => new Response(body())),
      ask('Hello'),
    )
    expect(textIn(events)).toBe(text)
    expect(events.at(-1)).toMatchObject({ message: { content: [{ text }] } })
  })

  it.each(['stays open', 'breaks'])('that %s after its last event has the reply', async (what) => {
    const closed = Promise.withResolvers<unknown>()
    const bytes = Buffer.from(sse(created, ...streamed(message('Hi'), 0, ['Hi']), completed()))
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(bytes),
      pull: (controller) => (what === 'breaks' ? controller.error(new TypeError('terminated')) : undefined),
      cancel: closed.resolve,
    })
    const events = await collect(
      played(() => new Response(body)),
      ask('Hello'),
    )
    expect(events.at(-1)).toMatchObject({ type: 'finish', message: { content: [{ text: 'Hi' }] } })
    if (what === 'stays open') await closed.promise
  })

  /** A stream that never ends, and whether it was closed. */
  function endless() {
    const closed = Promise.withResolvers<unknown>()
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(sse(created, ...streamed(message('Hi'), 0, ['Hi'])))),
      cancel: closed.resolve,
    })
    return { closed: closed.promise, provider: played(() => new Response(body)) }
  }

  it('that is left closes the connection', async () => {
    const { closed, provider } = endless()
    for await (const { type } of provider.stream(ask('Hello'))) if (type === 'text-delta') break
    await closed
  })

  it('that is stopped in the middle throws the reason and closes the connection', async () => {
    const { closed, provider } = endless()
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = async () => {
      for await (const _ of provider.stream(ask('Hello'), { signal: stop.signal })) stop.abort(reason)
    }
    expect(await failureOf(reading())).toBe(reason)
    await closed
  })

  it('that is stopped at its last event throws the reason', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const provider = played(sse(created, ...streamed(message('Hi'), 0, ['Hi']), completed()))
    const seen: string[] = []
    const reading = async () => {
      for await (const { type } of provider.stream(ask('Hello'), { signal: stop.signal })) {
        seen.push(type)
        stop.abort(reason)
      }
    }
    expect(await failureOf(reading())).toBe(reason)
    expect(seen).toEqual(['text-delta'])
  })

  it.each([
    ['a page', '<html>Welcome</html>'],
    ['JSON of another kind', '{"ok":true}'],
    ['the stream of another API', sse({ type: 'message_start' })],
    ['nothing', ''],
  ])('of an address that is no API is told apart: %s', async (_, body) => {
    for (const streaming of [true, false]) {
      const failure = await failureOf(collect(played(body, { streaming }), ask('Hello')))
      expect(failure).toMatchObject({ code: 'provider.bad-reply', retryable: false })
      expect((failure as Error).message).toMatch(/baseURL/)
    }
  })
})

describe('a request', () => {
  async function sent(messages: readonly Message[], options = {}, more = {}) {
    await using api = await openaiLoopback(options)
    api.server.onMessage(/.*/, { content: '{"a":"ok"}' })
    api.server.on({ hasToolResult: true }, { content: 'ok' })
    await collect(api.provider, { messages, tools: [], ...more })
    return api.bodies[0]
  }
  const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] })

  it('holds what the options say', async () => {
    const options = {
      maxOutputTokens: 900,
      temperature: 0.5,
      verbosity: 'low',
      store: true,
      promptCacheKey: 'k',
    } as const
    expect(await sent([user('Hi')], options)).toMatchObject({
      max_output_tokens: 900,
      temperature: 0.5,
      text: { verbosity: 'low' },
      store: true,
      prompt_cache_key: 'k',
    })
  })

  it.each([
    ...['gpt-4.1', 'GPT-4o', 'openai.gpt-4o', 'azure:gpt-4o', 'openai/gpt-4o', 'ft:gpt-4o:us::1', 'gpt-35-turbo'],
    ...['gpt-5-search-api', 'gpt-5.2-chat-latest', 'chatgpt-4o-latest'],
  ])('asks a model that does not think for no thoughts: %s', async (model) => {
    const body = await sent([user('Hi')], { model, reasoning: { effort: 'low' } })
    expect(body).not.toHaveProperty('include')
    expect(body).not.toHaveProperty('reasoning')
  })

  it('takes the option’s word for whether a model thinks', async () => {
    expect(await sent([user('Hi')], { model: 'my-deployment', reasoning: false })).not.toHaveProperty('include')
    const asked = await sent([user('Hi')], { model: 'chatgpt-next', reasoning: true })
    expect(asked).toHaveProperty('include')
    expect(asked).not.toHaveProperty('reasoning')
  })

  it('leaves out what the model’s family refuses', async () => {
    const options = { model: 'gpt-5.2', temperature: 0.5, verbosity: 'low' } as const
    for (const [model, held] of Object.entries({
      'gpt-5.2': ['temperature', 'text'],
      'gpt-4o': ['temperature'],
      'gpt-5-mini': ['text'],
      o3: [],
    })) {
      const body = (await sent([user('Hi')], options, { model })) ?? {}
      expect([model, ['temperature', 'text'].filter((name) => name in body)]).toEqual([model, held])
    }
  })

  it.each(['gpt-4', 'gpt-4-turbo', 'gpt-3.5-turbo'])('asks %s for an answer by a tool', async (model) => {
    const outputSchema = { type: 'object', properties: { a: { type: 'string' } } }
    const bodies: Record<string, unknown>[] = []
    const answer = { output: [call('c', '{"a":"ok"}', { name: 'final_answer' })] }
    const fetch = async (_: unknown, init?: RequestInit) => {
      bodies.push(JSON.parse(String(init?.body)))
      return new Response(sse(created, completed(answer)), { headers: { 'content-type': 'text/event-stream' } })
    }
    const provider = openai({ model, apiKey: 'k', fetch })
    expect((await collect(provider, ask('Hi', { outputSchema }))).at(-1)).toMatchObject({
      message: { content: [{ type: 'text', text: '{"a":"ok"}' }] },
      stopReason: 'stop',
    })
    expect(bodies[0]).toMatchObject({ tool_choice: 'required', tools: [{ name: 'final_answer' }] })
    expect(bodies[0]).not.toHaveProperty('text')
  })

  it('holds no half of a reply whose other parts are gone', async () => {
    const data = (id: string, more = {}) => ({ providerData: { openai: { id, model: 'gpt-5.2', items: 3, ...more } } })
    const toolCall = (callId: string) => ({ type: 'tool-call', callId, name: 'weather', input: {} }) as const
    const thoughts = { type: 'reasoning', text: '', ...data('rs_1', { encryptedContent: 's' }) } as const
    const calls = [
      { ...toolCall('a'), ...data('fc_1') },
      { ...toolCall('b'), ...data('fc_2') },
    ] as const
    for (const content of [calls, [thoughts, calls[0]]]) {
      const body = await sent([user('Hi'), { role: 'assistant', content }])
      expect(body?.input.filter((item) => 'id' in item)).toEqual([])
    }
    const whole = await sent([user('Hi'), { role: 'assistant', content: [thoughts, ...calls] }])
    expect(whole?.input.flatMap(({ id }) => id ?? [])).toEqual(['rs_1', 'fc_1', 'fc_2'])
  })

  it('asks for an answer by a schema, strictly where that can be', async () => {
    const strict = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    }
    expect((await sent([user('Hi')], {}, { outputSchema: strict }))?.['text']).toEqual({
      format: { type: 'json_schema', name: 'answer', strict: true, schema: strict },
    })
    const loose = { type: 'object', properties: { a: { type: 'string' } } }
    expect((await sent([user('Hi')], {}, { outputSchema: loose }))?.['text']).toEqual({
      format: { type: 'json_schema', name: 'answer', strict: false, schema: loose },
    })
  })

  it('takes over a conversation that another provider led', async () => {
    const thoughts = { type: 'reasoning', text: 'Hm.', providerData: { anthropic: { signature: 's' } } } as const
    const body = await sent([
      user('Rome?'),
      {
        role: 'assistant',
        content: [thoughts, { type: 'tool-call', callId: 'toolu_01', name: 'weather', input: { city: 'Rome' } }],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', callId: 'toolu_01', name: 'weather', content: [{ type: 'text', text: 'Sun' }] },
        ],
      },
      { role: 'assistant', content: [thoughts, { type: 'text', text: 'Sunny.' }] },
      user('Thanks'),
    ])
    expect(body?.input).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Rome?' }] },
      { type: 'function_call', call_id: 'toolu_01', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call_output', call_id: 'toolu_01', output: 'Sun' },
      { type: 'message', role: 'assistant', content: 'Sunny.' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Thanks' }] },
    ])
  })

  it('shows a model’s thoughts to no other model', async () => {
    const data = (id: string, more = {}) => ({ providerData: { openai: { id, model: 'gpt-5.2', items: 2, ...more } } })
    const messages: readonly Message[] = [
      user('Hi'),
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: '', ...data('rs_1', { encryptedContent: 'sealed' }) },
          { type: 'text', text: 'Ho', ...data('msg_1') },
        ],
      },
      user('And?'),
    ]
    expect((await sent(messages))?.input[1]).toMatchObject({ type: 'reasoning', encrypted_content: 'sealed' })
    expect((await sent(messages))?.input[2]).toMatchObject({ type: 'message', id: 'msg_1' })
    expect((await sent(messages, { model: 'gpt-5.4' }))?.input[1]).toEqual({
      type: 'message',
      role: 'assistant',
      content: 'Ho',
    })
  })

  it('goes on whole where another provider spoke in between', async () => {
    const data = (id: string, more = {}) => ({ providerData: { openai: { id, model: 'gpt-5.2', items: 2, ...more } } })
    const body = await sent([
      user('Hi'),
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm.', ...data('rs_1', { encryptedContent: 'sealed' }) },
          { type: 'tool-call', callId: 'call_1', name: 'weather', input: {}, ...data('fc_1') },
        ],
      },
      { role: 'tool', content: [{ type: 'tool-result', callId: 'call_1', name: 'weather', content: [] }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Ah.', providerData: { anthropic: { signature: 's' } } },
          { type: 'tool-call', callId: 'toolu_1', name: 'weather', input: {} },
        ],
      },
      { role: 'tool', content: [{ type: 'tool-result', callId: 'toolu_1', name: 'weather', content: [] }] },
    ])
    expect(body?.input.slice(1).map(({ type, id, call_id }) => [type, id ?? call_id])).toEqual([
      ['reasoning', 'rs_1'],
      ['function_call', 'fc_1'],
      ['function_call_output', 'call_1'],
      ['function_call', 'toolu_1'],
      ['function_call_output', 'toolu_1'],
    ])
  })

  it.each([
    ['http://127.0.0.1:9/v1', undefined],
    ['https://openai.com.example/v1', undefined],
    ['http://127.0.0.1:9/v1', 'given'],
  ])('takes nothing of the environment to %s, with the key %s', async (baseURL, apiKey) => {
    vi.stubEnv('OPENAI_API_KEY', 'of-openai')
    vi.stubEnv('OPENAI_ORG_ID', 'of-openai')
    vi.stubEnv('OPENAI_PROJECT_ID', 'of-openai')
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-secret: of-openai')
    const sentHeaders: Headers[] = []
    const fetch = async (_: unknown, init?: RequestInit) => {
      sentHeaders.push(new Headers(init?.headers))
      return new Response(sse(created, completed({ output: [message('Hi')] })))
    }
    const provider = openai({ model: 'm', baseURL, fetch, ...(apiKey ? { apiKey } : {}) })
    const failure = await failureOf(collect(provider, ask('Hello')))
    vi.unstubAllEnvs()
    if (apiKey) expect(sentHeaders[0]?.get('authorization')).toBe('Bearer given')
    else expect(failure).toMatchObject({ code: 'provider.unconfigured', details: { setting: 'apiKey' } })
    expect(sentHeaders).toHaveLength(apiKey ? 1 : 0)
    expect(JSON.stringify(sentHeaders.map((headers) => [...headers]))).not.toContain('of-openai')
  })

  it.each([
    ['https://eu.api.openai.com/v1', undefined],
    [undefined, 'https://gateway.example/v1'],
  ])('takes the environment’s key to OpenAI, and where the environment says: %s, %s', async (baseURL, variable) => {
    vi.stubEnv('OPENAI_API_KEY', 'of-openai')
    vi.stubEnv('OPENAI_BASE_URL', variable)
    const keys: unknown[] = []
    const fetch = async (input: unknown, init?: RequestInit) => {
      keys.push([String(input), new Headers(init?.headers).get('authorization')])
      return new Response(sse(created, completed({ output: [message('Hi')] })))
    }
    await collect(openai({ model: 'm', fetch, ...(baseURL ? { baseURL } : {}) }), ask('Hello'))
    vi.unstubAllEnvs()
    expect(keys).toEqual([[`${baseURL ?? variable}/responses`, 'Bearer of-openai']])
  })

  it('goes nowhere without a key', async () => {
    vi.stubEnv('OPENAI_API_KEY', '')
    const failure = await failureOf(collect(openai({ model: 'm' }), ask('Hello')))
    vi.unstubAllEnvs()
    expect(failure).toMatchObject({ code: 'provider.unconfigured', details: { setting: 'OPENAI_API_KEY' } })
  })
})

describe('options', () => {
  it.each([
    ['a missing model', {}],
    ['a misspelt name', { model: 'm', apikey: 'k' }],
    ['an unknown effort', { model: 'm', reasoning: { effort: 'most' } }],
    ['a misspelt effort', { model: 'm', reasoning: { efort: 'low' } }],
    ['an effort that stands alone', { model: 'm', reasoning: 'low' }],
    ['no count of tokens', { model: 'm', maxOutputTokens: 0 }],
    ['a window of nothing', { model: 'm', contextWindow: '5' }],
    ['a temperature above all', { model: 'm', temperature: 3 }],
    ['a word on whether it thinks', { model: 'm', reasoning: 'yes' }],
    ['an unknown verbosity', { model: 'm', verbosity: 'loud' }],
    ['an empty cache key', { model: 'm', promptCacheKey: '' }],
    ['too long a cache key', { model: 'm', promptCacheKey: 'k'.repeat(65) }],
  ])('are told at once when they are wrong: %s', (_, wrong) => {
    expect(() => openai(wrong as never)).toThrow(expect.objectContaining({ code: 'options.invalid' }))
  })

  it('say what a model can hold', () => {
    expect(openai({ model: 'm' }).limits).toEqual({ contextWindow: 128_000, maxOutputTokens: 16_000 })
    expect(openai({ model: 'm', contextWindow: 5000, maxOutputTokens: 700 }).limits).toEqual({
      contextWindow: 5000,
      maxOutputTokens: 700,
    })
  })
})
