import { LLMock } from '@copilotkit/aimock'
import type { Usage } from '@orra/core'
import { type OpenAIEmbeddingsOptions, openaiEmbeddings } from '@orra/provider-openai/embeddings'
import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, it, vi } from 'vitest'
import { toBatches } from '../src/embeddings/to-batches.ts'
import { FAILURES, failing, failureOf, recordedFetch, silentFetch } from './recorded-fetch.ts'

const options = { model: 'text-embedding-3-small', apiKey: 'test-key', maxRetries: 0 } as const

function toBase64(numbers: readonly number[]): string {
  return Buffer.from(Float32Array.from(numbers).buffer).toString('base64')
}

/** Two numbers that tell a text from others. */
function vectorOf(text: string): readonly number[] {
  return [text.length, text.codePointAt(0) ?? -1]
}

/** Answers as the API does: one vector a text. */
function embedder(more: Partial<OpenAIEmbeddingsOptions> = {}) {
  const { fetch, sent } = recordedFetch(({ json }) => {
    const input = json['input'] as readonly string[]
    const data = input.map((text, index) => ({ object: 'embedding', index, embedding: toBase64(vectorOf(text)) }))
    return Response.json({ object: 'list', data, usage: { prompt_tokens: input.length, total_tokens: input.length } })
  })
  return { sent, embeddings: openaiEmbeddings({ ...options, fetch, ...more }) }
}

/** Answers everything with these vectors. */
function answering(reply: unknown, more: Partial<OpenAIEmbeddingsOptions> = {}) {
  return openaiEmbeddings({ ...options, fetch: recordedFetch(() => Response.json(reply)).fetch, ...more })
}

describe('embeddings', () => {
  it('come one a text, in their order, with what they cost', async () => {
    const { embeddings, sent } = embedder({ headers: { 'x-team': 'red' } })
    const spent: Usage[] = []
    const onUsage = (usage: Usage) => spent.push(usage)
    expect(await embeddings.embed(['Hello', 'you'], { onUsage })).toEqual([vectorOf('Hello'), vectorOf('you')])
    expect(embeddings.model).toBe('text-embedding-3-small')
    expect(sent[0]?.path).toBe('/v1/embeddings')
    expect(sent[0]?.json).toEqual({ model: options.model, input: ['Hello', 'you'], encoding_format: 'base64' })
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer test-key')
    expect(sent[0]?.headers.get('x-team')).toBe('red')
    expect(spent).toEqual([{ inputTokens: 2, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }])
  })

  it('come from a model server over HTTP', async () => {
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    server.onEmbedding('Hello', { embedding: [0.25, -0.5, 1] })
    const baseURL = `${await server.start()}/v1`
    try {
      expect(await openaiEmbeddings({ ...options, baseURL }).embed(['Hello'])).toEqual([[0.25, -0.5, 1]])
    } finally {
      await server.stop()
    }
  })

  it('of no texts ask nobody', async () => {
    const { embeddings, sent } = embedder()
    expect(await embeddings.embed([])).toEqual([])
    expect(sent).toEqual([])
  })

  it('are as long as was asked for', async () => {
    const { embeddings, sent } = embedder({ dimensions: 2 })
    expect(await embeddings.embed(['a'])).toEqual([vectorOf('a')])
    expect(sent[0]?.json['dimensions']).toBe(2)
    const failure = await failureOf(embedder({ dimensions: 3 }).embeddings.embed(['a']))
    expect(failure).toMatchObject({ code: 'provider.bad-reply', message: expect.stringContaining('2 numbers where 3') })
  })

  it('keep their order whatever the sizes of the requests and the order of the replies', async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
      fc.integer({ min: 40_000, max: 120_000 }).map((length) => '€'.repeat(length)),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.func(fc.integer()),
        async (texts, maxBatchSize, rank) => {
          const { fetch, sent } = recordedFetch(({ json }) => {
            const input = json['input'] as readonly string[]
            const data = input.map((text, index) => ({ index, embedding: vectorOf(text) }))
            return Response.json({ data: data.sort((a, b) => rank(a.index) - rank(b.index)) })
          })
          const embeddings = openaiEmbeddings({ ...options, fetch, maxBatchSize })
          expect(await embeddings.embed(texts)).toEqual(texts.map(vectorOf))
          const inputs = sent.map(({ json }) => json['input'] as readonly string[])
          expect(inputs.flat()).toEqual(texts)
          for (const input of inputs) {
            expect(input.length).toBeGreaterThan(0)
            expect(input.length).toBeLessThanOrEqual(maxBatchSize)
            if (input.length > 1) expect(Buffer.byteLength(input.join(''))).toBeLessThanOrEqual(300_000)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of many texts go in no more requests than are needed', () => {
    const texts = Array.from({ length: 4097 }, () => 'a')
    expect([...toBatches(texts, 2048)].map(({ length }) => length)).toEqual([2048, 2048, 1])
    const long = Array.from({ length: 5 }, () => 'a'.repeat(149_999))
    expect([...toBatches(long, 2048)].map(({ length }) => length)).toEqual([2, 2, 1])
  })

  it('read every number of base64 as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        async (numbers) => {
          const reply = { data: [{ index: 0, embedding: toBase64(numbers) }] }
          expect(await answering(reply).embed(['a'])).toEqual([numbers])
        },
      ),
      { numRuns: 50 },
    )
  })

  it('come from servers that give numbers, or no indexes', async () => {
    const reply = { data: [{ embedding: [1, 2] }, { embedding: [3, 4] }] }
    expect(await answering(reply).embed(['a', 'b'])).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it.each([
    ['nothing', null],
    ['another thing', { text: 'secret' }],
    ['fewer vectors', { data: [{ index: 0, embedding: [1] }] }],
    ['more vectors', { data: [0, 1, 2].map((index) => ({ index, embedding: [1] })) }],
    ['vectors of two lengths', { data: [[1], [1, 2]].map((embedding, index) => ({ index, embedding })) }],
    ['a text twice', { data: [0, 0].map((index) => ({ index, embedding: [1] })) }],
    ['a text that was not sent', { data: [0, 2].map((index) => ({ index, embedding: [1] })) }],
    ['vectors half of which have an index', { data: [{ index: 0, embedding: [1] }, { embedding: [1] }] }],
    ['no vector', { data: [{ index: 0, embedding: [1] }, null] }],
    ['an empty vector', { data: [[], []].map((embedding, index) => ({ index, embedding })) }],
    ['words', { data: [['secret'], ['secret']].map((embedding, index) => ({ index, embedding })) }],
    ['holes', { data: [[null], [null]].map((embedding, index) => ({ index, embedding })) }],
    ['no base64', { data: ['!secret!', '!secret!'].map((embedding, index) => ({ index, embedding })) }],
    ['half a number', { data: ['AAAAAAA=', 'AAAAAAA='].map((embedding, index) => ({ index, embedding })) }],
    ['infinity', { data: [0, 1].map((index) => ({ index, embedding: toBase64([Number.POSITIVE_INFINITY]) })) }],
  ])('are none when %s comes', async (_, reply) => {
    const failure = await failureOf(answering(reply).embed(['a', 'b']))
    expect(failure).toMatchObject({ code: 'provider.bad-reply', retryable: false, details: { provider: 'openai' } })
    expect((failure as Error).message).not.toContain('secret')
  })

  it('are none when one request gives vectors of another length than the others', async () => {
    const { fetch } = recordedFetch((_, index) => {
      const embedding = index === 0 ? [1, 2] : [1, 2, 3]
      return Response.json({ data: [{ index: 0, embedding }] })
    })
    const embeddings = openaiEmbeddings({ ...options, fetch, maxBatchSize: 1 })
    expect(await failureOf(embeddings.embed(['a', 'b']))).toMatchObject({ code: 'provider.bad-reply' })
  })

  it('are none when a page comes', async () => {
    const { fetch } = recordedFetch(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }))
    const failure = await failureOf(openaiEmbeddings({ ...options, fetch }).embed(['a']))
    expect(failure).toMatchObject({ code: 'provider.bad-reply' })
  })

  it.each([
    ['an empty text', ['a', 'b', ''], 'texts[2]'],
    ['no text', ['a', 7], 'texts[1]'],
    ['nothing', ['a', undefined], 'texts[1]'],
    ['a text that is too long', ['a', 'secret '.repeat(8193)], 'texts[1]'],
    ['a number that is too long', ['1'.repeat(3 * 8192 + 1)], 'texts[0]'],
    ['no list', 'secret', 'texts'],
  ])('are refused unsent for %s, which is named', async (_, texts, option) => {
    const { embeddings, sent } = embedder()
    const failure = await failureOf(embeddings.embed(texts as readonly string[]))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option } })
    expect((failure as Error).message).not.toContain('secret')
    expect(sent).toEqual([])
  })

  it('are asked for when a text may not be too long, and of other models with other limits', async () => {
    const { embeddings, sent } = embedder()
    await embeddings.embed(['word '.repeat(8192), 'x'.repeat(30_000), ' '.repeat(9000)])
    await embedder({ maxInputTokens: 32_000 }).embeddings.embed(['word '.repeat(9000)])
    await embedder({ baseURL: 'http://localhost:8080/v1' }).embeddings.embed(['word '.repeat(9000)])
    expect(sent).toHaveLength(1)
    expect(await failureOf(embedder({ maxInputTokens: 3 }).embeddings.embed(['one two three four']))).toMatchObject({
      code: 'options.invalid',
    })
  })

  it('are asked for texts that are whole, whatever was given', async () => {
    const { embeddings, sent } = embedder()
    await embeddings.embed(['half \ud83d'])
    expect(sent[0]?.json['input']).toEqual(['half \ufffd'])
  })

  it.each(FAILURES)('that fail with %i, %s throw %s', async (status, type, code, retryable) => {
    const failure = await failureOf(openaiEmbeddings({ ...options, fetch: failing(status, type) }).embed(['Hello']))
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'openai', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it('tell nothing of a cost that the server does not say', async () => {
    const onUsage = vi.fn()
    for (const usage of [undefined, null, {}, { prompt_tokens: -1 }, { prompt_tokens: 'many' }]) {
      await answering({ data: [{ embedding: [1] }], usage }).embed(['a'], { onUsage })
    }
    expect(onUsage).not.toHaveBeenCalled()
  })

  it('tell what was spent before they failed', async () => {
    const { fetch } = recordedFetch((_, index) =>
      index === 0
        ? Response.json({ data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 5 } })
        : Response.json({ error: { message: 'Down.' } }, { status: 500 }),
    )
    const onUsage = vi.fn()
    const embedding = openaiEmbeddings({ ...options, fetch, maxBatchSize: 1 }).embed(['a', 'b'], { onUsage })
    expect(await failureOf(embedding)).toMatchObject({ code: 'provider.unavailable' })
    expect(onUsage.mock.calls).toMatchObject([[{ inputTokens: 5 }]])
  })

  it('are tried again, as often as they may be', async () => {
    const { fetch, sent } = recordedFetch((_, index) =>
      index === 0
        ? Response.json({}, { status: 500, headers: { 'retry-after-ms': '1' } })
        : Response.json({ data: [{ embedding: [1] }] }),
    )
    expect(await openaiEmbeddings({ ...options, fetch, maxRetries: 1 }).embed(['a'])).toEqual([[1]])
    expect(sent).toHaveLength(2)
  })

  it('can be stopped, before and in the midst', async () => {
    const { fetch, asked } = silentFetch()
    const embeddings = openaiEmbeddings({ ...options, fetch })
    const stop = new AbortController()
    const reason = new Error('enough')
    const failure = failureOf(embeddings.embed(['a'], { signal: stop.signal }))
    await asked
    stop.abort(reason)
    expect(await failure).toBe(reason)
    const { embeddings: never, sent } = embedder()
    expect(await failureOf(never.embed(['a'], { signal: stop.signal }))).toBe(reason)
    expect(sent).toEqual([])
  })

  it('can be stopped while the reply is read', async () => {
    const stop = new AbortController()
    const reading = Promise.withResolvers<void>()
    const body = new ReadableStream({ pull: () => reading.resolve() }, { highWaterMark: 0 })
    const { fetch } = recordedFetch(() => new Response(body, { headers: { 'content-type': 'application/json' } }))
    const failure = failureOf(openaiEmbeddings({ ...options, fetch }).embed(['a'], { signal: stop.signal }))
    await reading.promise
    stop.abort(new Error('enough'))
    expect(await failure).toBe(stop.signal.reason)
  })

  it.each([
    [
      'breaks',
      'provider.connection',
      (body: ReadableStreamDefaultController) => body.error(new TypeError('terminated')),
    ],
    ['ends', 'provider.bad-reply', (body: ReadableStreamDefaultController) => body.close()],
  ])('whose reply %s in the midst throw %s', async (_, code, end) => {
    const start = new TextEncoder().encode('{"data":[{"index":0,"embedd')
    const body = new ReadableStream({ start: (body) => body.enqueue(start), pull: end }, { highWaterMark: 2 })
    const { fetch } = recordedFetch(() => new Response(body, { headers: { 'content-type': 'application/json' } }))
    expect(await failureOf(openaiEmbeddings({ ...options, fetch }).embed(['a']))).toMatchObject({ code })
  })

  it('can be stopped between two requests', async () => {
    const stop = new AbortController()
    const { embeddings, sent } = embedder({ maxBatchSize: 1 })
    const onUsage = () => stop.abort(new Error('enough'))
    const failure = await failureOf(embeddings.embed(['a', 'b'], { signal: stop.signal, onUsage }))
    expect(failure).toBe(stop.signal.reason)
    expect(sent).toHaveLength(1)
  })
})

describe('the key of the environment', () => {
  it.each([
    ['OpenAI', undefined, 'Bearer of-openai'],
    ['a region of OpenAI', 'https://eu.api.openai.com/v1', 'Bearer of-openai'],
    ['another server', 'http://localhost:11434/v1', 'Bearer none'],
    ['a server that looks like it', 'http://notopenai.com/v1', 'Bearer none'],
  ])('when %s is asked', async (_, baseURL, authorization) => {
    vi.stubEnv('OPENAI_API_KEY', 'of-openai')
    vi.stubEnv('OPENAI_BASE_URL', undefined)
    try {
      const { fetch, sent } = recordedFetch(() => Response.json({ data: [{ embedding: [1] }] }))
      await openaiEmbeddings({ model: 'm', fetch, ...(baseURL ? { baseURL } : {}) }).embed(['a'])
      expect(sent[0]?.headers.get('authorization')).toBe(authorization)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('is missed at the first call', async () => {
    vi.stubEnv('OPENAI_API_KEY', undefined)
    try {
      const failure = await failureOf(openaiEmbeddings({ model: 'm' }).embed(['a']))
      expect(failure).toMatchObject({ code: 'provider.unconfigured', details: { setting: 'OPENAI_API_KEY' } })
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('is not asked for with a client of its own', async () => {
    const { fetch, sent } = recordedFetch(() => Response.json({ data: [{ embedding: [1] }] }))
    const client = new OpenAI({ apiKey: 'of-client', baseURL: 'http://localhost/own', fetch })
    expect(await openaiEmbeddings({ model: 'm', client }).embed(['a'])).toEqual([[1]])
    expect(sent[0]?.path).toBe('/own/embeddings')
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer of-client')
  })
})

describe('options that are wrong', () => {
  it.each([
    ['a missing model', {}, 'model'],
    ['a misspelt name', { model: 'm', apikey: 'k' }, 'apikey'],
    ['no dimensions', { model: 'm', dimensions: 0 }, 'dimensions'],
    ['half a text', { model: 'm', maxBatchSize: 0.5 }, 'maxBatchSize'],
    ['no limit', { model: 'm', maxInputTokens: '8192' }, 'maxInputTokens'],
  ])('are told at once: %s', (_, wrong, option) => {
    expect(() => openaiEmbeddings(wrong as never)).toThrow(
      expect.objectContaining({ code: 'options.invalid', details: expect.objectContaining({ option }) }),
    )
  })

  it.each([
    ['a misspelt name', { onUse: () => {} }],
    ['no function', { onUsage: 'log' }],
  ])('are told of a call: %s', async (_, wrong) => {
    const { embeddings } = embedder()
    expect(await failureOf(embeddings.embed(['a'], wrong as never))).toMatchObject({ code: 'options.invalid' })
  })
})
