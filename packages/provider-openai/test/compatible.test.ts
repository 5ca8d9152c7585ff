import { inspect } from 'node:util'
import { defineTool } from '@orra/core'
import { type OpenAICompatibleOptions, openaiCompatible } from '@orra/provider-openai'
import OpenAI, { AzureOpenAI } from 'openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  answered,
  ask,
  collect,
  compatible,
  DONE,
  deltasOf,
  end,
  failureOf,
  server,
  sse,
  text,
  wholeOf,
} from './chat-wire.ts'
import { bob, compatibleLoopback } from './compatible-loopback.ts'

const weather = defineTool({
  name: 'weather',
  description: 'Tells the weather of a city.',
  input: z.object({ city: z.string() }),
  readOnly: true,
  execute: ({ city }) => `Sunny in ${city}.`,
})

describe.each([{ streaming: true }, { streaming: false }])('a reply, with %o', (options) => {
  it('comes with its text, its end and its cost', async () => {
    await using api = await compatibleLoopback(options)
    api.mock.onMessage('Hello', { content: 'Hello, Bob! How are you today?' })
    const events = await collect(api.provider, ask('Hello'))
    expect(deltasOf(events)).toBe('Hello, Bob! How are you today?')
    const { message, stopReason, usage } = wholeOf(events)
    expect(message).toEqual({ role: 'assistant', content: [{ type: 'text', text: deltasOf(events) }] })
    expect(stopReason).toBe('stop')
    expect(usage.inputTokens).toBeGreaterThan(0)
    expect(usage.outputTokens).toBeGreaterThan(0)
    expect(api.bodies[0]).toEqual({
      model: 'qwen3',
      messages: [{ role: 'user', content: 'Hello' }],
      ...(options.streaming ? { stream: true, stream_options: { include_usage: true } } : { stream: false }),
    })
  })

  it('asks for several tools at once and gets each result in a message', async () => {
    await using api = await compatibleLoopback(options)
    const called = (city: string, id: string) => ({ name: 'weather', arguments: { city } as never, id })
    api.mock.on(
      { hasToolResult: false },
      { content: 'Let me look.', toolCalls: [called('Rome', 'a'), called('Oslo', 'b')] },
    )
    api.mock.on({ hasToolResult: true }, { content: 'Sunny in both.' })
    const orra = api.runtime({ tools: [weather], instructions: 'Be brief.' })
    expect((await orra.run(bob, 'Rome and Oslo?')).text).toBe('Sunny in both.')
    expect(api.bodies[0]?.tools?.[0]).toMatchObject({
      type: 'function',
      function: {
        name: 'weather',
        description: 'Tells the weather of a city.',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    })
    const [system, user, assistant, rome, oslo] = api.bodies[1]?.messages ?? []
    const [first, second] = assistant?.tool_calls ?? []
    expect([system, user]).toEqual([
      { role: 'system', content: expect.stringContaining('Be brief.') },
      { role: 'user', content: 'Rome and Oslo?' },
    ])
    expect(assistant).toMatchObject({ role: 'assistant', content: 'Let me look.' })
    expect(first?.function).toEqual({ name: 'weather', arguments: '{"city":"Rome"}' })
    expect(rome).toEqual({ role: 'tool', tool_call_id: first?.id, content: 'Sunny in Rome.' })
    expect(oslo).toEqual({ role: 'tool', tool_call_id: second?.id, content: 'Sunny in Oslo.' })
  })

  it('tells thoughts from text, and does not send them back', async () => {
    await using api = await compatibleLoopback(options)
    api.mock.on({ hasToolResult: false }, {
      reasoning: 'I should look.',
      toolCalls: [{ name: 'weather', arguments: '{"city":"Rome"}' }],
    } as never)
    api.mock.on({ hasToolResult: true }, { content: 'Sunny.' })
    const orra = api.runtime({ tools: [weather] })
    const thoughts: string[] = []
    for await (const event of orra.stream(bob, 'Rome?')) {
      if (event.type === 'reasoning-delta') thoughts.push(event.text)
    }
    expect(thoughts.join('')).toBe('I should look.')
    expect(JSON.stringify(api.bodies[1])).not.toContain('I should look.')
    expect(api.bodies[1]?.messages[1]).toMatchObject({ role: 'assistant', content: null })
  })

  it.each([
    [401, 'authentication_error', 'provider.auth', false],
    [403, 'permission_denied', 'provider.auth', false],
    [404, 'not_found_error', 'provider.unknown-model', false],
    [404, 'NotFoundError', 'provider.unknown-model', false],
    [429, 'rate_limit_error', 'provider.rate-limited', true],
    [500, 'server_error', 'provider.unavailable', true],
    [503, 'unavailable_error', 'provider.unavailable', true],
    [400, 'BadRequestError', 'provider.bad-request', false],
    [422, 'invalid_request_error', 'provider.bad-request', false],
  ])('that fails with %i, %s, is a typed error', async (status, type, code, retryable) => {
    await using api = await compatibleLoopback({ ...options, name: 'my-server', apiKey: 'test-key' })
    api.mock.nextRequestError(status, { message: 'secret words', type })
    const failure = await failureOf(collect(api.provider, ask('Hello')))
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'my-server', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it.each([
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
    'the request exceeds the available context size. try increasing the context size or enable context shift',
    'Please reduce the length of the messages or completion.',
    'prompt is too long: 9000 tokens > 8192 maximum',
  ])('that fails with "%s" was asked for too much', async (message) => {
    await using api = await compatibleLoopback(options)
    api.mock.nextRequestError(400, { message, type: 'invalid_request_error' })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({ code: 'provider.context-too-long' })
  })

  it('can be stopped', async () => {
    const asked = Promise.withResolvers<void>()
    const never: typeof fetch = (_, init) => {
      asked.resolve()
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    }
    const provider = compatible({ ...options, fetch: never })
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = failureOf(collect(provider, ask('Hello'), { signal: stop.signal }))
    await asked.promise
    stop.abort(reason)
    expect(await reading).toBe(reason)
    expect(await failureOf(collect(provider, ask('Hello'), { signal: stop.signal }))).toBe(reason)
  })

  it('can be stopped while its body is awaited', async () => {
    const begun = Promise.withResolvers<void>()
    const stop = new AbortController()
    const reason = new Error('enough')
    const fetch: typeof globalThis.fetch = async (_, init) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason)),
      })
      const type = options.streaming ? 'text/event-stream' : 'application/json'
      return new Response(body, { headers: { 'content-type': type } })
    }
    const provider = compatible({ ...options, fetch })
    const reading = failureOf(collect(provider, ask('Hello'), { signal: stop.signal, connected: begun.resolve }))
    await begun.promise
    stop.abort(reason)
    expect(await reading).toBe(reason)
  })

  it('from nowhere is a connection error', async () => {
    const failure = await failureOf(collect(compatible(options), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.connection', retryable: true })
  })

  it('tells once that it has begun, before anything of it is there', async () => {
    const connected = vi.fn()
    const body = options.streaming ? sse(text('Hi'), end()) + DONE : '{"choices":[{"message":{"content":"Hi"}}]}'
    const type = options.streaming ? 'text/event-stream' : 'application/json'
    const provider = compatible({ ...options, fetch: server(body, { headers: { 'content-type': type } }) })
    for await (const _ of provider.stream(ask('Hello'), { connected })) expect(connected).toHaveBeenCalledTimes(1)
    expect(connected).toHaveBeenCalledTimes(1)
  })
})

describe('a stream', () => {
  it('that is cut in the middle is a connection error', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage('Hello', { content: 'word '.repeat(50) }, { truncateAfterChunks: 3, latency: 1 })
    const failure = await failureOf(collect(api.provider, ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.connection', retryable: true })
  })

  it('that is stopped in the middle throws the reason', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage('Hello', { content: 'word '.repeat(200) }, { latency: 1 })
    const stop = new AbortController()
    const reason = new Error('enough')
    const reading = async () => {
      for await (const event of api.provider.stream(ask('Hello'), { signal: stop.signal })) {
        if (event.type === 'text-delta') stop.abort(reason)
      }
    }
    expect(await failureOf(reading())).toBe(reason)
  })

  it('whose bytes cannot be read is a connection error, whatever was thrown', async () => {
    for (const thrown of [
      new Error('ECONNRESET'),
      new TypeError('terminated'),
      new DOMException('late', 'TimeoutError'),
    ]) {
      const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(thrown) })
      const failure = await failureOf(collect(compatible({ fetch: server(body) }), ask('Hello')))
      expect(failure).toMatchObject({ code: 'provider.connection', retryable: true })
    }
  })

  it('left early closes the connection', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(sse(text('Hi')))),
      cancel: () => resolve(),
    })
    for await (const event of compatible({ fetch: server(body) }).stream(ask('Hello'))) {
      if (event.type === 'text-delta') break
    }
    await closed
  })
})

describe('a rate limit', () => {
  it.each([
    ['7', 7000],
    ['soon', undefined],
  ])('says how long to wait: %s', async (value, retryAfterMs) => {
    const init = { status: 429, headers: { 'retry-after': value, 'x-request-id': 'req_1' } }
    const fetch = server('{"error":{"message":"slow down"}}', init)
    const failure = await failureOf(collect(compatible({ fetch }), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.rate-limited', details: { requestId: 'req_1' } })
    expect((failure as { details: { retryAfterMs?: number } }).details.retryAfterMs).toBe(retryAfterMs)
  })
})

describe('an answer by a schema', () => {
  const outputSchema = {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  } as const
  const look = { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } } as const

  it('is asked for as a format', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage('Where?', { content: '{"city":"Rome"}' })
    const events = await collect(api.provider, ask('Where?', { outputSchema }))
    expect(deltasOf(events)).toBe('{"city":"Rome"}')
    expect(api.bodies[0]).toMatchObject({
      response_format: {
        type: 'json_schema',
        json_schema: { name: expect.stringMatching(/^\w+$/), schema: outputSchema },
      },
    })
  })

  it('is asked for as one looser object where the schema is a union', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage('Where?', { content: '{"city":"Rome"}' })
    const place = { type: 'object', properties: { place: { type: 'string' } } } as const
    const union = { type: 'object', anyOf: [outputSchema, place] } as const
    await collect(api.provider, ask('Where?', { outputSchema: union }))
    expect(api.bodies[0]?.['response_format']).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'answer',
        schema: {
          type: 'object',
          properties: { city: { type: 'string' }, place: { type: 'string' } },
          required: [],
        },
      },
    })
  })

  it('is asked for as a tool’s input where a server has no formats', async () => {
    await using api = await compatibleLoopback({ structuredOutput: 'tool' })
    api.mock.onMessage('Where?', { toolCalls: [{ name: 'final_answer', arguments: '{"city":"Rome"}' }] })
    const events = await collect(api.provider, ask('Where?', { outputSchema, tools: [look] }))
    expect(deltasOf(events)).toBe('{"city":"Rome"}')
    expect(wholeOf(events)).toMatchObject({
      message: { content: [{ type: 'text', text: '{"city":"Rome"}' }] },
      stopReason: 'stop',
    })
    expect(api.bodies[0]).not.toHaveProperty('response_format')
    expect(api.bodies[0]).toMatchObject({
      tool_choice: 'required',
      tools: [{ function: { name: 'look' } }, { function: { name: 'final_answer', parameters: outputSchema } }],
    })
  })
})

describe('a request', () => {
  it('carries the options', async () => {
    await using api = await compatibleLoopback({
      temperature: 0.5,
      reasoningEffort: 'low',
      maxOutputTokens: 99,
      headers: { 'x-team': 'red' },
      apiKey: 'my-key',
    })
    api.mock.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, ask('Hello', { model: 'other', instructions: 'Be brief.' }))
    expect(api.bodies[0]).toEqual({
      model: 'other',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      max_tokens: 99,
      temperature: 0.5,
      reasoning_effort: 'low',
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(api.headers[0]?.get('x-team')).toBe('red')
    expect(api.headers[0]?.get('authorization')).toBe('Bearer my-key')
  })

  it('says the longest reply in the field that the server wants, the request’s own first', async () => {
    await using api = await compatibleLoopback({ maxTokensField: 'max_completion_tokens', maxOutputTokens: 99 })
    api.mock.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, ask('Hello', { maxOutputTokens: 7 }))
    expect(api.bodies[0]).toMatchObject({ max_completion_tokens: 7 })
    expect(api.bodies[0]).not.toHaveProperty('max_tokens')
  })

  it('has each tool’s name once, the first tool’s', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage(/.*/, { content: 'ok' })
    const tool = (name: string, description: string) =>
      ({ name, description, inputSchema: { type: 'object' } }) as const
    await collect(api.provider, ask('Hello', { tools: [tool('a.b', 'One.'), tool('a_b', 'Two.'), tool('c', ' ')] }))
    const parameters = { type: 'object', properties: {} }
    expect(api.bodies[0]?.tools).toEqual([
      { type: 'function', function: { name: 'a_b', description: 'One.', parameters } },
      { type: 'function', function: { name: 'c', parameters } },
    ])
  })

  it('has no system prompt when the instructions are blank', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage(/.*/, { content: 'ok' })
    await collect(api.provider, ask('Hello', { instructions: ' \n' }))
    expect(api.bodies[0]?.messages).toEqual([{ role: 'user', content: 'Hello' }])
  })

  it('keeps its beginning from call to call', async () => {
    await using api = await compatibleLoopback()
    api.mock.onMessage(/.*/, { content: 'ok' })
    const orra = api.runtime({ tools: [weather], instructions: 'Be brief.' })
    for (const words of ['One', 'Two', 'Three']) await orra.run(bob, words)
    const sent = api.bodies.map(({ messages, tools }) => JSON.stringify([tools, messages]).slice(0, -2))
    expect(sent[1]?.startsWith(sent[0] ?? '-')).toBe(true)
    expect(sent[2]?.startsWith(sent[1] ?? '-')).toBe(true)
  })

  it('sends back with a call what came with it', async () => {
    await using api = await compatibleLoopback({ name: 'gemini' })
    api.mock.onMessage(/.*/, { content: 'ok' })
    const extra_content = { google: { thought_signature: 's' } }
    const call = { type: 'tool-call', callId: 'a', name: 'weather', input: {} } as const
    const messages = (provider: string) =>
      [
        ...ask('Hello').messages,
        { role: 'assistant', content: [{ ...call, providerData: { [provider]: { extra_content } } }] },
        { role: 'tool', content: [{ type: 'tool-result', callId: 'a', name: 'weather', content: [] }] },
      ] as const
    await collect(api.provider, { messages: messages('other'), tools: [] })
    expect(JSON.stringify(api.bodies[0])).not.toContain('extra_content')
    const bodies: { messages: { tool_calls?: object[] }[] }[] = []
    const fetch: typeof globalThis.fetch = async (_, init) => {
      bodies.push(JSON.parse(String(init?.body)))
      return new Response(sse(text('Hi'), end()), { headers: { 'content-type': 'text/event-stream' } })
    }
    await collect(compatible({ name: 'gemini', fetch }), { messages: messages('gemini'), tools: [] })
    expect(bodies[0]?.messages[1]?.tool_calls).toMatchObject([{ function: { name: 'weather' }, extra_content }])
  })
})

describe('what a server is shown', () => {
  afterEach(() => void vi.unstubAllEnvs())

  it('is nothing that the environment holds for OpenAI', async () => {
    const secrets = [
      'OPENAI_API_KEY',
      'OPENAI_ORG_ID',
      'OPENAI_PROJECT_ID',
      'OPENAI_ADMIN_KEY',
      'OPENAI_WEBHOOK_SECRET',
    ]
    for (const name of secrets) vi.stubEnv(name, `secret-${name}`)
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1/elsewhere')
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-gateway: secret-1\n x-other : secret-2\nx-team: secret-3')
    await using api = await compatibleLoopback({ headers: { 'x-team': 'red' } })
    api.mock.onMessage(/.*/, { content: 'ok' })
    expect(deltasOf(await collect(api.provider, ask('Hello')))).toBe('ok')
    expect(api.headers[0]?.get('x-team')).toBe('red')
    expect(api.headers[0]?.get('authorization')).toBe('Bearer none')
    expect(inspect([...(api.headers[0] ?? [])])).not.toContain('secret')
  })

  it.each([
    'Authorization: Bearer secret',
    'authorization:secret\nAuthorization : secret',
    'no header: secret',
    ': secret',
    'x-gateway: secret\u2028',
    'Content-Type: text/secret\naccept: secret',
  ])('is its own key, whatever the environment has for OpenAI: %o', async (lines) => {
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', lines)
    await using api = await compatibleLoopback({ apiKey: 'my-key' })
    api.mock.onMessage(/.*/, { content: 'ok' })
    expect(deltasOf(await collect(api.provider, ask('Hello')))).toBe('ok')
    expect(api.headers[0]?.get('authorization')).toBe('Bearer my-key')
    expect(api.headers[0]?.get('content-type')).toBe('application/json')
    expect(inspect([...(api.headers[0] ?? [])])).not.toContain('secret')
    expect(process.env['OPENAI_CUSTOM_HEADERS']).toBe(lines)
  })

  it('is signed by a client of your own, where one is given', async () => {
    const fetch = vi.fn(server(sse(text('Hi'), end())))
    const client = new OpenAI({ apiKey: 'mine', baseURL: 'http://127.0.0.1:9/azure', fetch })
    expect(deltasOf(await collect(openaiCompatible({ client, model: 'm' }), ask('Hello')))).toBe('Hi')
    expect(String(fetch.mock.calls[0]?.[0])).toBe('http://127.0.0.1:9/azure/chat/completions')
  })

  it('is a deployment of Azure, with a client for that', async () => {
    const fetch = vi.fn(server(sse(text('Hi'), end())))
    const client = new AzureOpenAI({ apiKey: 'mine', endpoint: 'http://127.0.0.1:9', apiVersion: '2025-01-01', fetch })
    expect(deltasOf(await collect(openaiCompatible({ client, model: 'gpt-x' }), ask('Hello')))).toBe('Hi')
    const [url, init] = fetch.mock.calls[0] ?? []
    expect(String(url)).toBe('http://127.0.0.1:9/openai/deployments/gpt-x/chat/completions?api-version=2025-01-01')
    expect(new Headers(init?.headers).get('api-key')).toBe('mine')
  })
})

describe('a provider', () => {
  it('has the name, the model and the limits that it is given', () => {
    expect(compatible()).toMatchObject({
      name: 'openai-compatible',
      model: 'm',
      limits: { contextWindow: 128_000, maxOutputTokens: 32_000 },
    })
    expect(compatible({ name: 'groq', contextWindow: 8192, maxOutputTokens: 1000 })).toMatchObject({
      name: 'groq',
      limits: { contextWindow: 8192, maxOutputTokens: 1000 },
    })
  })

  it.each<[string, object | undefined, string]>([
    ['a missing model', { baseURL: 'http://a/v1' }, 'model'],
    ['a missing base URL', { model: 'm' }, 'baseURL'],
    ['a base URL without its scheme', { model: 'm', baseURL: 'localhost:11434/v1' }, 'baseURL'],
    ['a misspelt name', { model: 'm', baseUrl: 'http://a/v1' }, 'baseUrl'],
    ['an empty name', { model: 'm', baseURL: 'http://a/v1', name: '' }, 'name'],
    ['no count', { model: 'm', baseURL: 'http://a/v1', maxOutputTokens: 0 }, 'maxOutputTokens'],
    ['a window of words', { model: 'm', baseURL: 'http://a/v1', contextWindow: '8k' }, 'contextWindow'],
    ['an unknown choice', { model: 'm', baseURL: 'http://a/v1', structuredOutput: 'json' }, 'structuredOutput'],
    ['nothing', undefined, 'options'],
  ])('with an option that is wrong is told at once: %s', (_, options, option) => {
    expect(() => openaiCompatible(options as OpenAICompatibleOptions)).toThrow(`The option "${option}" cannot be used`)
  })

  it.each([
    ['a key with a line end', { apiKey: 'se\ncret' }, 'apiKey'],
    ['fewer than no retries', { maxRetries: -1 }, 'maxRetries'],
  ])('with a setting that is wrong is told when it is used: %s', async (_, options, setting) => {
    const failure = await failureOf(collect(compatible(options), ask('Hello')))
    expect(failure).toMatchObject({ code: 'provider.unconfigured', retryable: false, details: { setting } })
    expect(inspect(failure)).not.toContain('cret')
  })

  it('serves many calls at once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => answered({ choices: [{ message: { content: `Reply ${index}` } }] })),
    )
    expect(replies.map((events) => deltasOf(events))).toEqual(replies.map((_, index) => `Reply ${index}`))
  })
})
