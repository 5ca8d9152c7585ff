import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openai } from '@orra/provider-openai'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { describe, expect, it } from 'vitest'
import { toProviderError } from '../src/openai-error.ts'
import { ask, collect, failureOf, played } from './openai-loopback.ts'

const asker = { provider: 'openai', factory: 'openai' }
const json = (status: number, body: unknown, headers = {}) =>
  failureOf(
    collect(
      played(() => Response.json(body, { status, headers })),
      ask('Hello'),
    ),
  )
const page = (status: number, headers = {}) =>
  failureOf(
    collect(
      played(
        () => new Response('<html>secret</html>', { status, headers: { 'content-type': 'text/html', ...headers } }),
      ),
      ask('Hello'),
    ),
  )

describe('what a server answers', () => {
  it.each([
    [401, { code: 'invalid_api_key', type: 'invalid_request_error' }, 'provider.auth', false],
    [403, { code: 'unsupported_country_region_territory' }, 'provider.auth', false],
    [402, { code: 402 }, 'provider.auth', false],
    [429, { code: 'insufficient_quota', type: 'insufficient_quota' }, 'provider.auth', false],
    [400, { code: 'billing_hard_limit_reached' }, 'provider.auth', false],
    [429, { code: 'rate_limit_exceeded', type: 'requests' }, 'provider.rate-limited', true],
    [404, { code: 'model_not_found' }, 'provider.unknown-model', false],
    [400, { code: 'model_not_found' }, 'provider.unknown-model', false],
    [404, {}, 'provider.unknown-model', false],
    [400, { code: 'context_length_exceeded' }, 'provider.context-too-long', false],
    [413, {}, 'provider.context-too-long', false],
    [400, { code: 'invalid_value' }, 'provider.bad-request', false],
    [422, {}, 'provider.bad-request', false],
    [408, {}, 'provider.connection', true],
    [409, {}, 'provider.unavailable', true],
    [500, { type: 'server_error' }, 'provider.unavailable', true],
    [503, {}, 'provider.unavailable', true],
    [504, {}, 'provider.connection', true],
  ])('with %i and %o is a typed error', async (status, error, code, retryable) => {
    const failure = await json(status, { error: { message: 'secret words', ...error } })
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'openai', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it('names billing where it is that', async () => {
    const failure = await json(429, { error: { message: 'You exceeded your current quota.', code: null } })
    expect(failure).toMatchObject({ code: 'provider.auth', message: expect.stringContaining('billing') })
  })

  it.each([
    [{ 'retry-after': '30' }, 30_000],
    [{ 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
    [{ 'retry-after': 'soon' }, undefined],
  ])('says how long to wait: %o', async (headers, retryAfterMs) => {
    const failure = await json(429, { error: { message: 'Slow down' } }, { ...headers, 'x-request-id': 'req_1' })
    const details = { provider: 'openai', status: 429, requestId: 'req_1' }
    expect(failure).toMatchObject({ code: 'provider.rate-limited' })
    expect((failure as { details: object }).details).toEqual(
      retryAfterMs === undefined ? details : { ...details, retryAfterMs },
    )
  })

  it('may say it elsewhere than under `error`', async () => {
    const long = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
    for (const body of [{ object: 'error', message: long, code: 400 }, { detail: long }, { error: long }]) {
      expect(await json(400, body)).toMatchObject({ code: 'provider.context-too-long' })
    }
  })

  it('may say that an item is gone, which is no model', async () => {
    const error = { message: "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false." }
    expect(await json(404, { error })).toMatchObject({ code: 'provider.bad-request' })
  })

  it.each([
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
    "Invalid 'input[2].content[0].text': string too long. Expected a string with maximum length 10485760.",
    'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    'request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it',
    'the request exceeds the available context size. try increasing the context size or enable context shift',
    'input is larger than the max context size. skipped',
    'the input length exceeds the context length',
    'prompt too long; exceeded max context length by 12 tokens',
    'Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.',
    'The number of tokens to keep from the initial prompt is greater than the context length.',
    "This endpoint's maximum context length is 163840 tokens. However, you requested about 200000 tokens.",
    'Please reduce the length of the messages or completion.',
    'Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.',
    'Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens',
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    'The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).',
    'prompt is too long: 210000 tokens > 200000 maximum',
    'The prompt is too long: 140000, model maximum context length: 131071',
    'Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)',
    'prompt token count of 70000 exceeds the limit of 64000',
    'invalid params, context window exceeds limit',
  ])('is about too long a request: %s', async (message) => {
    for (const status of [400, 429, 500]) {
      expect(await json(status, { error: { message } })).toMatchObject({ code: 'provider.context-too-long' })
    }
  })

  it.each([
    "Invalid 'input[3].name': string too long. Expected a string with maximum length 64.",
    "Invalid 'tools[0].name': name is too long",
    'Unsupported parameter: max_tokens',
    'Invalid schema for function: context=() is wrong',
  ])('is about something else: %s', async (message) => {
    const error = { message, code: 'string_above_max_length' }
    expect(await json(400, { error })).toMatchObject({ code: 'provider.bad-request' })
  })

  it.each([
    [404, 'provider.bad-reply', false],
    [403, 'provider.bad-reply', false],
    [401, 'provider.auth', false],
    [413, 'provider.context-too-long', false],
    [429, 'provider.rate-limited', true],
    [502, 'provider.connection', true],
    [503, 'provider.connection', true],
  ])('with a page and %i is told apart', async (status, code, retryable) => {
    const failure = await page(status)
    expect(failure).toMatchObject({ code, retryable, details: { status } })
    if (code !== 'provider.auth' && status !== 413 && status !== 429)
      expect((failure as Error).message).toMatch(/baseURL or OPENAI_BASE_URL/)
  })

  it('that sends elsewhere is no API', async () => {
    expect(await page(302, { location: '/' })).toMatchObject({ code: 'provider.bad-reply' })
    expect(await json(307, {})).toMatchObject({ code: 'provider.bad-reply' })
  })

  it.each([307, 308, 302])(
    'with %i is not followed, with the prompt and the headers, to another host',
    async (status) => {
      const reached: string[] = []
      await using other = await serving((request, response) => {
        reached.push(String(request.headers['x-secret']))
        response.writeHead(500).end()
      })
      await using first = await serving((_, response) => {
        response.writeHead(status, { location: `${other.url}/v1/responses` }).end()
      })
      const options = {
        model: 'm',
        apiKey: 'k',
        baseURL: `${first.url}/v1`,
        headers: { 'x-secret': 's' },
        maxRetries: 0,
      }
      expect(await failureOf(collect(openai(options), ask('Hello')))).toMatchObject({
        code: 'provider.bad-reply',
        retryable: false,
        details: { status },
      })
      expect(reached).toEqual([])
    },
  )

  it('that is no JSON, though it says so, is told apart', async () => {
    const headers = { 'content-type': 'application/json' }
    const broken = played(() => new Response('{"output": [', { headers }), { streaming: false })
    expect(await failureOf(collect(broken, ask('Hello')))).toMatchObject({ code: 'provider.bad-reply' })
    const line = played(() => new Response('data: {"type": \n\n'))
    expect(await failureOf(collect(line, ask('Hello')))).toMatchObject({ code: 'provider.bad-reply' })
  })
})

describe('trying again', () => {
  async function triesOf(headers: Record<string, string>, status = 429) {
    let tries = 0
    const answer = () => {
      tries += 1
      return Response.json({ error: { message: 'No.' } }, { status, headers })
    }
    const failure = await failureOf(collect(played(answer, { maxRetries: 2 }), ask('Hello')))
    return { tries, failure }
  }

  it('is done at once where the server asks for little', async () => {
    expect((await triesOf({ 'retry-after-ms': '1' })).tries).toBe(3)
    expect((await triesOf({ 'retry-after-ms': '1' }, 500)).tries).toBe(3)
  })

  it('is left to the caller where it asks for much, and for what stays wrong', async () => {
    const { tries, failure } = await triesOf({ 'retry-after': '3600' })
    expect(tries).toBe(1)
    expect(failure).toMatchObject({ retryable: true, details: { retryAfterMs: 3_600_000 } })
    expect((await triesOf({}, 400)).tries).toBe(1)
  })
})

async function serving(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    provider: openai({ model: 'm', apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a connection', () => {
  it('to nobody names the setting', async () => {
    const server = await serving(() => {})
    await server[Symbol.asyncDispose]()
    const { provider } = server
    expect(await failureOf(collect(provider, ask('Hello')))).toMatchObject({
      code: 'provider.connection',
      retryable: true,
      message: expect.stringContaining('baseURL'),
    })
  })

  it('that breaks is worth trying again', async () => {
    await using before = await serving((request) => request.socket.destroy())
    await using within = await serving((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('event: response.created\ndata: {"type":"response.created","response":{}}\n\n', () =>
        response.destroy(),
      )
    })
    for (const { provider } of [before, within]) {
      expect(await failureOf(collect(provider, ask('Hello')))).toMatchObject({
        code: 'provider.connection',
        retryable: true,
      })
    }
  })

  it.each(['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'whose certificate is not trusted says so: %s',
    (code) => {
      const cause = Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('tls'), { code }) })
      const failure = toProviderError(new APIConnectionError({ cause }), asker)
      expect(failure).toMatchObject({ code: 'provider.connection', retryable: false })
      expect(failure.message).toMatch(/NODE_EXTRA_CA_CERTS/)
    },
  )

  it.each([new TypeError('terminated'), new APIConnectionError({}), new APIConnectionTimeoutError(), 'text', null])(
    'that surfaces as %o is worth trying again',
    (cause) => {
      expect(toProviderError(cause, asker)).toMatchObject({ code: 'provider.connection', retryable: true })
    },
  )
})

describe('another server than OpenAI’s own', () => {
  const other = { provider: 'ollama', factory: 'openaiCompatible', isForeign: true }
  it('is not called by that name', () => {
    for (const status of [400, 401, 404, 429, 500]) {
      const failure = toProviderError(APIError.generate(status, { error: {} }, undefined, new Headers()), other)
      expect(failure.message).not.toMatch(/OpenAI|OPENAI/)
      expect(failure.message).toMatch(/^[A-Z]/)
      expect(failure.details).toMatchObject({ provider: 'ollama', status })
    }
  })
})
