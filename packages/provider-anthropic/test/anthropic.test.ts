import { inspect } from 'node:util'
import { defineTool } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { ask, bob, collect, failureOf, loopback, sse, wire } from './loopback.ts'
import { gif, jpeg, pdf, png } from './media.ts'

const weather = defineTool({
  name: 'weather',
  description: 'Tells the weather of a city.',
  input: z.object({ city: z.string() }),
  readOnly: true,
  execute: ({ city }) => `Sunny in ${city}.`,
})

describe.each([{ streaming: true }, { streaming: false }])('a reply, with %o', (options) => {
  it('comes with its text, its end and its cost', async () => {
    await using api = await loopback(options)
    const usage = { input_tokens: 7, output_tokens: 3, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 }
    api.server.onMessage('Hello', { content: 'Hello, Bob! How are you today?', usage } as never)
    const events = await collect(api.provider, ask('Hello'))
    const text = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('')
    expect(text).toBe('Hello, Bob! How are you today?')
    expect(events.at(-1)).toMatchObject({
      type: 'finish',
      message: { role: 'assistant', content: [{ type: 'text', text }] },
      stopReason: 'stop',
      model: 'claude-sonnet-5',
      usage: { outputTokens: 3 },
    })
    expect(api.bodies[0]).toMatchObject({ model: 'claude-sonnet-5', max_tokens: 16_000 })
  })

  it('asks for several tools at once and gets all their results in one message', async () => {
    await using api = await loopback(options)
    api.server.on(
      { hasToolResult: false },
      {
        content: 'Let me look.',
        toolCalls: [
          { name: 'weather', arguments: { city: 'Rome' }, id: 'toolu_1' },
          { name: 'weather', arguments: { city: 'Oslo' }, id: 'toolu_2' },
        ],
      },
    )
    api.server.on({ hasToolResult: true }, { content: 'Sunny in both.' })
    const orra = api.runtime({ tools: [weather], instructions: 'Be brief.' })
    expect((await orra.run(bob, 'Rome and Oslo?')).text).toBe('Sunny in both.')
    expect(api.bodies[0]?.tools?.[0]).toMatchObject({
      name: 'weather',
      description: 'Tells the weather of a city.',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    })
    expect(api.bodies[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(api.bodies[1]?.messages[1]?.content).toMatchObject([
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } },
      { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Oslo' } },
    ])
    expect(api.bodies[1]?.messages[2]?.content).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'Sunny in Rome.' }] },
      { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'Sunny in Oslo.' }] },
    ])
  })

  it('keeps thinking with its signature over tool turns', async () => {
    await using api = await loopback({ ...options, thinking: { type: 'enabled', budget_tokens: 2000 } })
    api.server.on({ hasToolResult: false }, {
      reasoning: 'I should look.',
      reasoningSignature: 'sig-1',
      redactedThinking: ['opaque'],
      toolCalls: [{ name: 'weather', arguments: { city: 'Rome' }, id: 'toolu_1' }],
    } as never)
    api.server.on({ hasToolResult: true }, { content: 'Sunny.' })
    expect((await api.runtime({ tools: [weather] }).run(bob, 'Rome?')).text).toBe('Sunny.')
    const thought = api.bodies[1]?.messages[1]?.content ?? []
    expect(thought).toContainEqual({ type: 'thinking', thinking: 'I should look.', signature: 'sig-1' })
    expect(thought).toContainEqual({ type: 'redacted_thinking', data: 'opaque' })
  })

  it.each([
    [401, 'authentication_error', 'provider.auth', false],
    [403, 'permission_error', 'provider.auth', false],
    [404, 'not_found_error', 'provider.unknown-model', false],
    [413, 'request_too_large', 'provider.context-too-long', false],
    [429, 'rate_limit_error', 'provider.rate-limited', true],
    [500, 'api_error', 'provider.unavailable', true],
    [529, 'overloaded_error', 'provider.unavailable', true],
    [400, 'invalid_request_error', 'provider.bad-request', false],
  ])('that fails with %i is a typed error', async (status, type, code, retryable) => {
    await using api = await loopback(options)
    api.server.nextRequestError(status, { message: 'secret words', type })
    const failure = await failureOf(collect(api.provider, ask('Hello')))
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'anthropic', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it.each([
    [400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'],
    [400, 'invalid_request_error', 'Prompt is too long'],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000, decrease input length or `max_tokens` and try again',
    ],
    [400, 'ValidationException', 'Input is too long for requested model.'],
    [413, 'request_too_large', 'Request exceeds the maximum size'],
    [413, 'invalid_request_error', 'Payload Too Large'],
  ])('that fails with %i, %s: %s, was asked for too much', async (status, type, message) => {
    await using api = await loopback(options)
    api.server.nextRequestError(status, { message, type })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({ code: 'provider.context-too-long' })
  })

  it('can be stopped', async () => {
    const asked = Promise.withResolvers<void>()
    const never: typeof fetch = (_, init) => {
      asked.resolve()
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    }
    await using api = await loopback({ ...options, fetch: never })
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = failureOf(collect(api.provider, ask('Hello'), stop.signal))
    await asked.promise
    stop.abort(reason)
    expect(await reading).toBe(reason)
    expect(await failureOf(collect(api.provider, ask('Hello'), stop.signal))).toBe(reason)
  })

  it('from nowhere is a connection error', async () => {
    const provider = anthropic({ ...options, model: 'm', apiKey: 'k', baseURL: 'http://127.0.0.1:9', maxRetries: 0 })
    expect(await failureOf(collect(provider, ask('Hello')))).toMatchObject({
      code: 'provider.connection',
      retryable: true,
    })
  })
})

describe('a stream', () => {
  it('that is cut in the middle is a connection error', async () => {
    await using api = await loopback()
    api.server.onMessage('Hello', { content: 'word '.repeat(50) }, { truncateAfterChunks: 3, latency: 1 })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({
      code: 'provider.connection',
      retryable: true,
    })
  })

  const start = {
    type: 'message_start',
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [],
      stop_reason: null,
      usage: { input_tokens: 5, output_tokens: 1 },
    },
  }
  const toolStart = {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 't', name: 'weather', input: {} },
  }
  const json = (partial_json: string) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json },
  })
  const end = (stop_reason: string) => [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 9 } },
    { type: 'message_stop' },
  ]
  const played = (...events: readonly { readonly type: string }[]) =>
    collect(anthropic({ model: 'm', apiKey: 'k', maxRetries: 0, fetch: wire(sse(...events)) }), ask('Hello'))

  it('that ends cleanly before the reply does is a connection error', async () => {
    expect(await failureOf(played(start, toolStart))).toMatchObject({ code: 'provider.connection' })
  })

  it('takes the last count of usage', async () => {
    expect((await played(start, toolStart, json('{}'), ...end('tool_use'))).at(-1)).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 9 },
    })
  })

  it.each([
    ['in pieces', ['{"ci', 'ty":"Ro', 'me"}'], { city: 'Rome' }],
    ['of nothing', [], {}],
    ['that is no JSON', ['{"city":'], '{"city":'],
    ['that is no object', ['[1]'], [1]],
  ])('takes a tool’s input %s', async (_, pieces, input) => {
    const events = await played(start, toolStart, ...pieces.map(json), ...end('tool_use'))
    expect(events.at(-1)).toMatchObject({
      message: { content: [{ type: 'tool-call', callId: 't', name: 'weather', input }] },
      stopReason: 'tool-calls',
    })
  })

  it('that is stopped in the middle throws the reason, though the SDK ends it quietly', async () => {
    await using api = await loopback()
    api.server.onMessage('Hello', { content: 'word '.repeat(200) }, { latency: 1 })
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = async () => {
      for await (const event of api.provider.stream(ask('Hello'), { signal: stop.signal })) {
        if (event.type === 'text-delta') stop.abort(reason)
      }
    }
    expect(await failureOf(reading())).toBe(reason)
  })

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['tool_use', 'tool-calls'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'refused'],
  ])('that ends with %s ends with %s', async (reason, stopReason) => {
    expect((await played(start, ...end(reason))).at(-1)).toMatchObject({ stopReason })
  })

  it.each([
    ['a page', '<html>Welcome</html>'],
    ['JSON of another kind', '{"ok":true}'],
    ['nothing', ''],
  ])('of an address that is no API is told apart: %s', async (_, body) => {
    const type = body.startsWith('{') ? 'application/json' : 'text/html'
    for (const streaming of [true, false]) {
      const fetch = wire(body, { status: 200, headers: { 'content-type': type } })
      const provider = anthropic({ model: 'm', apiKey: 'k', maxRetries: 0, streaming, fetch })
      expect(await failureOf(collect(provider, ask('Hello')))).toMatchObject({
        code: 'provider.bad-reply',
        retryable: false,
      })
    }
  })

  it('bears with counts that a proxy leaves out', async () => {
    const bare = { ...start, message: { ...start.message, usage: undefined } }
    const stop = [{ type: 'message_delta', delta: { stop_reason: 'end_turn' } }, { type: 'message_stop' }]
    const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
    expect((await played(bare, ...stop)).at(-1)).toMatchObject({ usage: none })
  })

  it.each([
    ['overloaded_error', 'Overloaded', 'provider.unavailable'],
    ['rate_limit_error', 'slow down', 'provider.rate-limited'],
    ['request_too_large', 'too large', 'provider.context-too-long'],
    ['invalid_request_error', 'prompt is too long: 5 tokens > 4 maximum', 'provider.context-too-long'],
    ['invalid_request_error', 'messages: what?', 'provider.bad-request'],
    ['brand_new_error', 'who knows', 'provider.unavailable'],
  ])('that breaks off with %s (%s) is %s', async (type, message, code) => {
    expect(await failureOf(played(start, { type: 'error', error: { type, message } } as never))).toMatchObject({ code })
  })

  it('whose bytes cannot be read is a connection error, whatever was thrown', async () => {
    for (const thrown of [
      new Error('ECONNRESET'),
      new TypeError('terminated'),
      new DOMException('late', 'TimeoutError'),
    ]) {
      const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(thrown) })
      const provider = anthropic({ model: 'm', apiKey: 'k', maxRetries: 0, fetch: wire(body) })
      expect(await failureOf(collect(provider, ask('Hello')))).toMatchObject({
        code: 'provider.connection',
        retryable: true,
      })
    }
  })

  it.each([
    ['nobody', 'ECONNREFUSED', true],
    ['nobody', 'ENOTFOUND', true],
    ['a certificate that is not trusted', 'SELF_SIGNED_CERT_IN_CHAIN', false],
    ['a certificate that is over', 'CERT_HAS_EXPIRED', false],
  ])('that does not come, for there is %s (%s), names the setting', async (_, code, retryable) => {
    const cause = Object.assign(new Error('no'), { code })
    const fetch = async () => Promise.reject(new TypeError('fetch failed', { cause: new AggregateError([cause]) }))
    const provider = anthropic({ model: 'm', apiKey: 'sk-secret', maxRetries: 0, fetch })
    const failure = await failureOf(collect(provider, ask('Hello')))
    expect(failure).toMatchObject({
      code: 'provider.connection',
      retryable,
      message: expect.stringContaining('ANTHROPIC_BASE_URL'),
    })
    expect((failure as Error).message).not.toContain('sk-secret')
  })

  it('left early closes the connection', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const bytes = new TextEncoder().encode(
      sse(start, { ...toolStart, content_block: { type: 'text', text: '' } } as never),
    )
    const delta = new TextEncoder().encode(
      sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } } as never),
    )
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes)
        controller.enqueue(delta)
      },
      cancel: () => resolve(),
    })
    const provider = anthropic({ model: 'm', apiKey: 'k', fetch: wire(body) })
    for await (const event of provider.stream(ask('Hello'))) if (event.type === 'text-delta') break
    await closed
  })
})

describe('a rate limit', () => {
  it.each([
    ['7', 7000],
    ['0.5', 500],
    ['soon', undefined],
  ])('says how long to wait: %s', async (value, retryAfterMs) => {
    const fetch = wire(JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }), {
      status: 429,
      headers: { 'retry-after': value, 'request-id': 'req_1' },
    })
    const failure = await failureOf(collect(anthropic({ model: 'm', apiKey: 'k', maxRetries: 0, fetch }), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.rate-limited', details: { requestId: 'req_1' } })
    expect((failure as { details: { retryAfterMs?: number } }).details.retryAfterMs).toBe(retryAfterMs)
  })
})

describe('a request', () => {
  it('joins neighbours of one role and leaves out what the API refuses', async () => {
    await using api = await loopback({ promptCaching: false })
    api.server.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, {
      tools: [],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'One' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: ' ' },
            { type: 'text', text: 'Two' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'unsigned' },
            { type: 'text', text: '' },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool-call', callId: 'call:1', name: 'weather', input: 'no object' }] },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              callId: 'call:1',
              name: 'weather',
              content: [{ type: 'text', text: '' }],
              isError: true,
            },
          ],
        },
        { role: 'user', content: [{ type: 'text', text: 'Three' }] },
      ],
    })
    const id = expect.stringMatching(/^call_[0-9a-f]{32}$/)
    expect(api.bodies[0]?.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'One' },
          { type: 'text', text: 'Two' },
        ],
      },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id, name: 'weather', input: { input: 'no object' } }],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: id, is_error: true, content: 'It failed without saying why.' },
          { type: 'text', text: 'Three' },
        ],
      },
    ])
  })

  it('carries images and files of every kind', async () => {
    await using api = await loopback({ promptCaching: false })
    api.server.onMessage(/.*/, { content: 'ok' })
    const text = Buffer.from('plain').toString('base64')
    await collect(api.provider, {
      tools: [],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', mediaType: 'image/png', data: png(4, 4) },
            { type: 'image', mediaType: 'image/png', url: 'https://example.com/a.png' },
            { type: 'file', mediaType: 'application/pdf', data: pdf(2), name: 'a.pdf' },
            { type: 'file', mediaType: 'application/pdf', url: 'https://example.com/a.pdf' },
            { type: 'file', mediaType: 'text/markdown', data: text },
          ],
        },
      ],
    })
    expect(api.bodies[0]?.messages[0]?.content.slice(1)).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png(4, 4) } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf(2) }, title: 'a.pdf' },
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
    ])
  })

  it('never ends an assistant message in thinking, and sends none without its signature', async () => {
    await using api = await loopback({ promptCaching: false })
    api.server.onMessage(/.*/, { content: 'ok' })
    const signed = { type: 'reasoning', text: 'Hm.', providerData: { anthropic: { signature: 's' } } } as const
    const unsigned = { type: 'reasoning', text: 'Hm.', providerData: { anthropic: { signature: '' } } } as const
    const say = (...content: readonly object[]) => ({ role: 'assistant', content }) as never
    const hello = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
    const messages = [
      hello,
      say(signed),
      hello,
      say(signed, { type: 'text', text: '\n' }),
      hello,
      say(unsigned, { type: 'text', text: 'Hi' }),
      hello,
    ]
    await collect(api.provider, { tools: [], messages })
    expect(api.bodies[0]?.messages.map(({ role, content }) => [role, ...content.map(({ type }) => type)])).toEqual([
      ['user', 'text', 'text', 'text'],
      ['assistant', 'text'],
      ['user', 'text'],
    ])
  })

  it('puts words in the place of what the API cannot read', async () => {
    await using api = await loopback({ promptCaching: false })
    api.server.onMessage(/.*/, { content: 'ok' })
    const content = [
      { type: 'image', mediaType: 'image/svg+xml', data: 'aGk=' },
      { type: 'image', mediaType: 'image/png', data: 'aGk=' },
      { type: 'image', mediaType: 'image/png', data: png(8001, 4) },
      { type: 'image', mediaType: 'image/png', url: 'http://example.com/a.png' },
      { type: 'image', mediaType: 'image/jpg', data: jpeg(4, 4) },
      { type: 'image', mediaType: 'image/png', data: gif(4, 4) },
      { type: 'file', mediaType: 'application/pdf', data: pdf(101) },
      { type: 'file', mediaType: 'application/pdf', data: pdf(1, { encrypted: true }), name: 'b.pdf' },
      { type: 'file', mediaType: 'application/msword', data: 'aGk=', name: 'a.doc' },
      { type: 'file', mediaType: 'text/csv', url: 'https://example.com/a.csv' },
      { type: 'file', mediaType: 'text/plain', data: '' },
      { type: 'file', mediaType: 'application/json', data: Buffer.from('{}').toString('base64') },
    ] as const
    await collect(api.provider, { tools: [], messages: [{ role: 'user', content }] })
    expect(api.bodies[0]?.messages[0]?.content).toEqual([
      { type: 'text', text: '[The image (image/svg+xml) is empty or of a kind that this model cannot read.]' },
      { type: 'text', text: '[The image (image/png) is empty or of a kind that this model cannot read.]' },
      { type: 'text', text: '[The image (image/png) is larger than this model takes.]' },
      { type: 'text', text: '[The image (image/png) is at an address that this model cannot reach.]' },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: jpeg(4, 4) } },
      { type: 'image', source: { type: 'base64', media_type: 'image/gif', data: gif(4, 4) } },
      { type: 'text', text: '[The file (application/pdf) has more pages than this model takes.]' },
      { type: 'text', text: '[The file b.pdf (application/pdf) is locked with a password.]' },
      {
        type: 'text',
        text: '[The file a.doc (application/msword) is empty or of a kind that this model cannot read.]',
      },
      { type: 'text', text: '[The file (text/csv) is empty or of a kind that this model cannot read.]' },
      { type: 'text', text: '[The file (text/plain) is empty or of a kind that this model cannot read.]' },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '{}' } },
    ])
  })

  it('has no system prompt when the instructions are blank', async () => {
    await using api = await loopback()
    api.server.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, ask('Hello', { instructions: ' \n' }))
    expect(api.bodies[0]).not.toHaveProperty('system')
  })

  it('keeps its beginning from call to call, with cache marks on it and on the newest messages', async () => {
    await using api = await loopback()
    api.server.onMessage(/.*/, { content: 'ok' })
    const orra = api.runtime({ tools: [weather], instructions: 'Be brief.' })
    for (const text of ['One', 'Two', 'Three']) await orra.run(bob, text)
    const marked = { cache_control: { type: 'ephemeral' } }
    for (const body of api.bodies) {
      expect(body.tools?.map((tool) => 'cache_control' in tool)).toEqual(
        body.tools?.map((_, index, { length }) => index === length - 1),
      )
      expect(body.system).toEqual([{ type: 'text', text: 'Be brief.', ...marked }])
    }
    const marks = api.bodies.map(({ messages }) =>
      messages.map(({ content }) => 'cache_control' in (content.at(-1) ?? {})),
    )
    expect(marks).toEqual([[true], [true, false, true], [false, false, true, false, true]])
    const plain = api.bodies.map(({ messages }) =>
      JSON.stringify(messages).replaceAll(',"cache_control":{"type":"ephemeral"}', '').slice(0, -1),
    )
    expect(plain[1]?.startsWith(plain[0] ?? '-')).toBe(true)
    expect(plain[2]?.startsWith(plain[1] ?? '-')).toBe(true)
  })

  it('carries the options', async () => {
    await using api = await loopback({
      temperature: 0.5,
      effort: 'low',
      maxOutputTokens: 99,
      promptCaching: false,
      headers: { 'x-team': 'red' },
    })
    api.server.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, ask('Hello', { model: 'claude-haiku-5-5', instructions: 'Be brief.' }))
    expect(api.bodies[0]).toEqual({
      model: 'claude-haiku-5-5',
      max_tokens: 99,
      stream: true,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      temperature: 0.5,
      output_config: { effort: 'low' },
    })
    expect(api.server.getLastRequest()?.headers).toMatchObject({ 'x-team': 'red' })
  })
})

describe('a long wait that a server asks for', () => {
  it.each([
    ['3600', 1],
    ['0', 3],
  ])('of %s s means %i tries', async (seconds, tries) => {
    let calls = 0
    const fetch: typeof globalThis.fetch = async () => {
      calls += 1
      return new Response('{}', { status: 529, headers: { 'retry-after': seconds } })
    }
    const failure = await failureOf(collect(anthropic({ model: 'm', apiKey: 'k', fetch }), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.unavailable', details: { retryAfterMs: Number(seconds) * 1000 } })
    expect(calls).toBe(tries)
  })
})

describe('a setting that cannot be one', () => {
  it.each([
    ['a key with a line end', { apiKey: 'sk-ant-se\ncret' }, 'ANTHROPIC_API_KEY'],
    ['a key with a curly quote', { apiKey: '“sk-ant-secret”' }, 'ANTHROPIC_API_KEY'],
    ['a base URL without its scheme', { apiKey: 'k', baseURL: 'localhost:8080' }, 'ANTHROPIC_BASE_URL'],
    ['fewer than no retries', { apiKey: 'k', maxRetries: -1 }, 'maxRetries'],
  ])('is named, and never shown: %s', async (_, options, setting) => {
    const failure = await failureOf(collect(anthropic({ model: 'm', ...options }), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.unconfigured', retryable: false, details: { setting } })
    expect(inspect(failure)).not.toContain('secret')
    expect(inspect(failure)).not.toContain('cret')
  })
})

describe('an option', () => {
  it.each([
    ['a missing model', {}],
    ['a misspelt name', { model: 'm', apikey: 'k' }],
    ['nothing', undefined],
  ])('that is wrong is told at once: %s', (_, options) => {
    expect(() => anthropic(options as never)).toThrow(/^The option "/)
  })
})

describe('the key', () => {
  afterEach(() => void vi.unstubAllEnvs())

  it('that is missing is told when it is needed, with the setting’s name', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', '')
    const provider = anthropic({ model: 'claude-sonnet-5' })
    const failure = await failureOf(collect(provider, ask('Hello')))
    expect(failure).toMatchObject({
      code: 'provider.unconfigured',
      message: expect.stringContaining('ANTHROPIC_API_KEY'),
    })
  })

  it('comes from the environment, with the base URL', async () => {
    await using api = await loopback()
    api.server.onMessage('Hello', { content: 'Hi.' })
    vi.stubEnv('ANTHROPIC_API_KEY', 'from-env')
    vi.stubEnv('ANTHROPIC_BASE_URL', api.server.url)
    const events = await collect(anthropic({ model: 'claude-sonnet-5' }), ask('Hello'))
    expect(events.at(-1)).toMatchObject({ type: 'finish' })
    expect(api.server.getLastRequest()?.headers).toHaveProperty('authorization')
  })
})
