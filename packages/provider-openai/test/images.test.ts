import { LLMock } from '@copilotkit/aimock'
import type { ImagePart, Usage } from '@orra/core'
import { type OpenAIImagesOptions, openaiImages } from '@orra/provider-openai/images'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { FAILURES, failing, failureOf, recordedFetch, silentFetch } from './recorded-fetch.ts'

const options = { apiKey: 'test-key', maxRetries: 0 } as const

function image(head: string, size = 12): string {
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(size)]).toString('base64')
}

const png = image('\x89PNG\r\n\x1a\n')
const jpeg = image('\xff\xd8\xff\xe0')
const webp = image('RIFF\x20\0\0\0WEBP')
const gif = image('GIF89a')

function part(data: string, mediaType = 'image/png'): ImagePart {
  return { type: 'image', mediaType, data }
}

function answering(reply: unknown, more: Partial<OpenAIImagesOptions> = {}) {
  const { fetch, sent } = recordedFetch(() => Response.json(reply))
  return { sent, images: openaiImages({ ...options, fetch, ...more }) }
}

const one = { created: 1, data: [{ b64_json: png }] }

/** Both ways to make images fail and stop in the same way. */
const CALLS = [
  ['made', (made: ReturnType<typeof openaiImages>, signal?: AbortSignal) => made.generate('A cat', { signal })],
  [
    'changed',
    (made: ReturnType<typeof openaiImages>, signal?: AbortSignal) => made.edit('A cat', [part(png)], { signal }),
  ],
] as const

describe('images', () => {
  it('are made as the model does it, with what they cost', async () => {
    const { images, sent } = answering({ ...one, usage: { input_tokens: 9, output_tokens: 200, total_tokens: 209 } })
    const spent: Usage[] = []
    const onUsage = (usage: Usage) => spent.push(usage)
    expect(await images.generate('A cat', { onUsage })).toEqual([{ type: 'image', mediaType: 'image/png', data: png }])
    expect(images.model).toBe('gpt-image-2.5-sunburst')
    expect(sent[0]?.path).toBe('/v1/images/generations')
    expect(sent[0]?.json).toEqual({ model: 'gpt-image-2.5-sunburst', prompt: 'A cat', n: 1 })
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer test-key')
    expect(spent).toEqual([{ inputTokens: 9, outputTokens: 200, cacheReadTokens: 0, cacheWriteTokens: 0 }])
  })

  it('are made as the options and the call say', async () => {
    const { images, sent } = answering(one, {
      size: '1024x1024',
      quality: 'low',
      background: 'transparent',
      format: 'webp',
    })
    await images.generate('A cat', { count: 2 })
    await images.generate('A cat', { size: '1536x864', quality: 'high', background: 'opaque', format: 'jpeg' })
    const usual = { model: 'gpt-image-2.5-sunburst', prompt: 'A cat' }
    expect(sent.map(({ json }) => json)).toEqual([
      { ...usual, n: 2, size: '1024x1024', quality: 'low', background: 'transparent', output_format: 'webp' },
      { ...usual, n: 1, size: '1536x864', quality: 'high', background: 'opaque', output_format: 'jpeg' },
    ])
  })

  it('of other models than OpenAI’s are asked for as base64', async () => {
    const { images, sent } = answering(one, { model: 'stable-diffusion', baseURL: 'http://localhost:8080/v1' })
    await images.generate('A cat')
    expect(sent[0]?.json['response_format']).toBe('b64_json')
    const proxied = answering(one, { model: 'openai/gpt-image-2', baseURL: 'http://localhost:8080/v1' })
    await proxied.images.generate('A cat')
    expect(proxied.sent[0]?.json).not.toHaveProperty('response_format')
  })

  it('come from a client of its own, whose models may have any name', async () => {
    const { fetch, sent } = recordedFetch(() => Response.json(one))
    const client = new OpenAI({ apiKey: 'of-client', baseURL: 'http://localhost/own', fetch })
    expect(await openaiImages({ model: 'my-deployment', client }).generate('A cat')).toEqual([part(png)])
    expect(sent[0]?.json).toEqual({ model: 'my-deployment', prompt: 'A cat', n: 1 })
  })

  it('have the media type of their bytes, whatever was asked for', async () => {
    const data = [png, jpeg, webp, gif].map((b64_json) => ({ b64_json }))
    const { images } = answering({ data, output_format: 'png' }, { format: 'png' })
    expect((await images.generate('A cat', { count: 4 })).map(({ mediaType }) => mediaType)).toEqual([
      'image/png',
      'image/jpeg',
      'image/webp',
      'image/gif',
    ])
  })

  it('come from a model server over HTTP', async () => {
    const mock = new LLMock({ port: 0, logLevel: 'silent' })
    mock.onImage('A cat', { image: { b64Json: png } })
    const baseURL = `${await mock.start()}/v1`
    try {
      const images = openaiImages({ ...options, baseURL })
      expect(await images.generate('A cat')).toEqual([part(png)])
      expect(await images.edit('A cat', [part(jpeg)])).toEqual([part(png)])
      expect(await images.edit('A cat', [part(jpeg), part(png)])).toEqual([part(png)])
    } finally {
      await mock.stop()
    }
  })

  it('are changed with a form of their bytes', async () => {
    const { images, sent } = answering(one, { quality: 'low' })
    const given = [part(png), part(jpeg), part(webp, 'image/png')]
    expect(await images.edit('A cat', given, { mask: part(png), count: 3 })).toEqual([part(png)])
    expect(sent[0]?.path).toBe('/v1/images/edits')
    const form = sent[0]?.form ?? new FormData()
    const fields = [...form].filter(([, value]) => typeof value === 'string')
    expect(Object.fromEntries(fields)).toEqual({
      model: 'gpt-image-2.5-sunburst',
      prompt: 'A cat',
      n: '3',
      quality: 'low',
    })
    const files = [...form.getAll('image[]'), form.get('mask')] as File[]
    expect(files.map(({ type }) => type)).toEqual(['image/png', 'image/jpeg', 'image/webp', 'image/png'])
    expect(files.map(({ name }) => name)).toEqual(['images0.png', 'images1.jpeg', 'images2.webp', 'mask.png'])
    const bytes = await Promise.all(files.map((file) => file.arrayBuffer()))
    expect(bytes.map((buffer) => Buffer.from(buffer).toString('base64'))).toEqual([png, jpeg, webp, png])
  })

  it('are changed one alone in the field for one', async () => {
    const { images, sent } = answering(one)
    await images.edit('A cat', [part(webp)])
    expect([...(sent[0]?.form.keys() ?? [])]).toContain('image')
    expect(sent[0]?.form.get('image')).toMatchObject({ type: 'image/webp' })
  })

  it.each([
    ['nothing', null],
    ['no list', { data: 'secret' }],
    ['no image', { data: [] }],
    ['a URL', { data: [{ url: 'http://localhost/secret.png' }] }],
    ['one that is missing', { data: [{ b64_json: png }, null] }],
    ['no base64', { data: [{ b64_json: `data:image/png;base64,${png}` }] }],
    ['base64 with something behind it', { data: [{ b64_json: `${png}!!!!` }] }],
    ['bytes of another kind', { data: [{ b64_json: Buffer.from('secret text').toString('base64') }] }],
  ])('are none when %s comes', async (_, reply) => {
    const failure = await failureOf(answering(reply).images.generate('A cat'))
    expect(failure).toMatchObject({ code: 'provider.bad-reply', details: { provider: 'openai' } })
    expect((failure as Error).message).not.toContain('secret')
  })

  it('are none when a page comes', async () => {
    const { fetch } = recordedFetch(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }))
    const failure = await failureOf(openaiImages({ ...options, fetch }).generate('A cat'))
    expect(failure).toMatchObject({ code: 'provider.bad-reply' })
  })

  describe.each(CALLS)('that are %s', (_, call) => {
    it.each(FAILURES)('and fail with %i, %s throw %s', async (status, type, code, retryable) => {
      const failure = await failureOf(call(openaiImages({ ...options, fetch: failing(status, type) })))
      expect(failure).toMatchObject({ code, retryable, details: { provider: 'openai', status } })
      expect((failure as Error).message).not.toMatch(/secret|test-key/)
    })

    it('can be stopped, before and in the midst', async () => {
      const { fetch, asked } = silentFetch()
      const stop = new AbortController()
      const reason = new Error('enough')
      const failure = failureOf(call(openaiImages({ ...options, fetch }), stop.signal))
      await asked
      stop.abort(reason)
      expect(await failure).toBe(reason)
      const { images, sent } = answering(one)
      expect(await failureOf(call(images, stop.signal))).toBe(reason)
      expect(sent).toEqual([])
    })
  })
})

describe('what cannot be sent', () => {
  const url: ImagePart = { type: 'image', mediaType: 'image/png', url: 'https://example.com/secret.png' }

  it.each([
    ['no image', [], {}, 'images'],
    ['too many', Array.from({ length: 17 }, () => part(png)), {}, 'images'],
    ['a URL', [part(png), url], {}, 'images[1]'],
    ['a GIF', [part(gif)], {}, 'images[0]'],
    ['text', [part(Buffer.from('secret text').toString('base64'))], {}, 'images[0]'],
    ['nothing', [part('')], {}, 'images[0]'],
    ['one that is too large', [part(png), part(image('\xff\xd8\xff', 50_000_000))], {}, 'images[1]'],
    ['a mask that is no PNG', [part(png)], { mask: part(jpeg) }, 'mask'],
    ['a mask that is too large', [part(png)], { mask: part(image('\x89PNG\r\n\x1a\n', 4_000_000)) }, 'mask'],
    ['a mask at a URL', [part(png)], { mask: url }, 'mask'],
  ])('is refused and named: %s', async (_, given, more, option) => {
    const { images, sent } = answering(one)
    const failure = await failureOf(images.edit('A cat', given, more))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option } })
    expect((failure as Error).message).not.toContain('secret')
    expect(sent).toEqual([])
  })

  it.each([
    ['an empty prompt', ' ', {}, 'prompt'],
    ['no prompt', undefined, {}, 'prompt'],
    ['no number', 'A cat', { count: 0 }, 'count'],
    ['too many', 'A cat', { count: 11 }, 'count'],
    ['a mask', 'A cat', { mask: part(png) }, 'mask'],
    ['an unknown format', 'A cat', { format: 'bmp' }, 'format'],
    ['an unknown background', 'A cat', { background: 'red' }, 'background'],
    ['no function', 'A cat', { onUsage: 'log' }, 'onUsage'],
  ])('is refused and named when an image is made: %s', async (_, prompt, given, option) => {
    const { images, sent } = answering(one)
    const failure = await failureOf(images.generate(prompt as string, given as never))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option } })
    expect(sent).toEqual([])
  })

  it.each([
    ['a misspelt name', { apikey: 'k' }],
    ['an empty model', { model: '' }],
    ['an unknown format', { format: 'bmp' }],
    ['no size', { size: 1024 }],
    ['no quality', { quality: '' }],
  ])('is told at once: %s', (_, wrong) => {
    expect(() => openaiImages(wrong as never)).toThrow(expect.objectContaining({ code: 'options.invalid' }))
  })
})
