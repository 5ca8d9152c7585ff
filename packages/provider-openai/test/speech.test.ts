import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LLMock } from '@copilotkit/aimock'
import {
  type OpenAISpeechOptions,
  openaiSpeech,
  type SpeakOptions,
  type SpeechFormat,
} from '@orra/provider-openai/speech'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FAILURES, failing, failureOf, recordedFetch, silentFetch } from './recorded-fetch.ts'
import { wave } from './wave.ts'

const options = { apiKey: 'test-key', maxRetries: 0 } as const
const sound = { headers: { 'content-type': 'audio/mpeg' } }

async function read(sounds: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of sounds) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Speaks by giving the text back. */
function echo(more: Partial<OpenAISpeechOptions> = {}) {
  const { fetch, sent } = recordedFetch(({ json }) => new Response(String(json['input']), sound))
  return { speech: openaiSpeech({ ...options, fetch, ...more }), sent }
}

/** A server on this machine that answers every call by `answer`. */
async function server(answer: (response: ServerResponse) => void) {
  const http = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' })
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const speech = openaiSpeech({ ...options, baseURL: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1` })
  return {
    speech,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

describe('speech', () => {
  it('is asked for with a model, a voice and a format', async () => {
    const { speech, sent } = echo()
    expect(String(await read(speech.speak('Hello!')))).toBe('Hello!')
    expect(speech).toMatchObject({ model: 'gpt-4o-mini-tts', mediaType: 'audio/mpeg' })
    expect(sent[0]?.path).toBe('/v1/audio/speech')
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer test-key')
    expect(sent[0]?.json).toEqual({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Hello!', response_format: 'mp3' })
  })

  it('is asked for as the options and the call say', async () => {
    const { speech, sent } = echo({ model: 'kokoro', voice: 'marin', format: 'opus' })
    await read(speech.speak('Hello!'))
    await read(speech.speak('Hello!', { voice: 'cedar', instructions: 'Whisper.' }))
    expect(speech).toMatchObject({ model: 'kokoro', mediaType: 'audio/ogg' })
    const usual = { model: 'kokoro', input: 'Hello!', response_format: 'opus' }
    expect(sent.map(({ json }) => json)).toEqual([
      { ...usual, voice: 'marin' },
      { ...usual, voice: 'cedar', instructions: 'Whisper.' },
    ])
  })

  it('comes from a model server over HTTP', async () => {
    const mock = new LLMock({ port: 0, logLevel: 'silent' })
    mock.onSpeech('Hello!', { audio: Buffer.from('a voice').toString('base64'), format: 'mp3' })
    const baseURL = `${await mock.start()}/v1`
    try {
      expect(String(await read(openaiSpeech({ ...options, baseURL }).speak('Hello!')))).toBe('a voice')
    } finally {
      await mock.stop()
    }
  })

  it('comes while it is made', async () => {
    const writer = Promise.withResolvers<ServerResponse>()
    await using api = await server((response) => {
      response.write('one')
      writer.resolve(response)
    })
    const sounds = api.speech.speak('Hello!')[Symbol.asyncIterator]()
    expect(String(Buffer.from((await sounds.next()).value))).toBe('one')
    const response = await writer.promise
    response.end('two')
    expect(String(Buffer.from((await sounds.next()).value))).toBe('two')
    expect(await sounds.next()).toMatchObject({ done: true })
  })

  it('closes the connection when it is left early', async () => {
    const closed = Promise.withResolvers<boolean>()
    await using api = await server((response) => {
      response.write('one')
      response.on('close', () => closed.resolve(response.writableFinished))
    })
    for await (const chunk of api.speech.speak('Hello!')) {
      expect(String(Buffer.from(chunk))).toBe('one')
      break
    }
    expect(await closed.promise).toBe(false)
  })

  it('can be stopped in the midst, which closes the connection', async () => {
    const closed = Promise.withResolvers<void>()
    await using api = await server((response) => {
      response.write('one')
      response.on('close', closed.resolve)
    })
    const stop = new AbortController()
    const reason = new Error('enough')
    const sounds = api.speech.speak('Hello!', { signal: stop.signal })[Symbol.asyncIterator]()
    await sounds.next()
    const failure = failureOf(sounds.next())
    stop.abort(reason)
    expect(await failure).toBe(reason)
    await closed.promise
  })

  it('can be stopped before it begins', async () => {
    const { fetch, asked } = silentFetch()
    const stop = new AbortController()
    const reason = new Error('enough')
    const failure = failureOf(read(openaiSpeech({ ...options, fetch }).speak('Hello!', { signal: stop.signal })))
    await asked
    stop.abort(reason)
    expect(await failure).toBe(reason)
    const { speech, sent } = echo()
    expect(await failureOf(read(speech.speak('Hello!', { signal: stop.signal })))).toBe(reason)
    expect(sent).toEqual([])
  })

  it('that breaks in the midst is a connection error', async () => {
    await using api = await server((response) => response.write('one', () => response.destroy()))
    const failure = await failureOf(read(api.speech.speak('Hello!')))
    expect(failure).toMatchObject({ code: 'provider.connection', retryable: true, details: { provider: 'openai' } })
  })

  it.each(FAILURES)('that fails with %i, %s throws %s', async (status, type, code, retryable) => {
    const speech = openaiSpeech({ ...options, fetch: failing(status, type) })
    const failure = await failureOf(read(speech.speak('Hello!')))
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'openai', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it.each([
    ['a page', '<html>secret', 'text/html; charset=utf-8'],
    ['an error', '{"error":"secret"}', 'application/json'],
    ['nothing', '', 'audio/mpeg'],
  ])('is none when %s comes', async (_, body, type) => {
    const { fetch } = recordedFetch(() => new Response(body, { headers: { 'content-type': type } }))
    const failure = await failureOf(read(openaiSpeech({ ...options, fetch }).speak('Hello!')))
    expect(failure).toMatchObject({ code: 'provider.bad-reply' })
    expect((failure as Error).message).not.toContain('secret')
  })

  it.each([
    ['no text', undefined, 'text'],
    ['an empty text', '', 'text'],
    ['a blank text', ' \n\t', 'text'],
  ])('of %s is refused unsent', async (_, text, option) => {
    const { speech, sent } = echo()
    const failure = await failureOf(read(speech.speak(text as string)))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option } })
    expect(sent).toEqual([])
  })

  it.each([
    ['a misspelt option', { volume: 3 }],
    ['an empty voice', { voice: '' }],
  ])('is refused for %s', async (_, wrong) => {
    const failure = await failureOf(read(echo().speech.speak('Hello!', wrong as SpeakOptions)))
    expect(failure).toMatchObject({ code: 'options.invalid' })
  })

  it.each([
    ['a misspelt name', { apikey: 'k' }],
    ['an unknown format', { format: 'midi' }],
    ['an empty model', { model: '' }],
    ['no voice', { voice: 7 }],
  ])('tells at once of an option that is wrong: %s', (_, wrong) => {
    expect(() => openaiSpeech(wrong as never)).toThrow(expect.objectContaining({ code: 'options.invalid' }))
  })
})

describe('speech of a long text', () => {
  const sentence = 'This is a sentence about nothing. '

  it('is that of its parts, one after another', async () => {
    const { speech, sent } = echo()
    const text = sentence.repeat(400)
    expect(String(await read(speech.speak(text)))).toBe(text)
    expect(sent).toHaveLength(4)
    for (const { json } of sent) {
      expect(String(json['input'])).toMatch(/^This .*nothing\. $/)
      expect(String(json['input']).length).toBeLessThanOrEqual(4096)
    }
  })

  it('loses no character, except what is blank and half of one', async () => {
    const words = fc.array(
      fc.oneof(fc.constantFrom(sentence, '好', '👩‍👩‍👧‍👦', 'e\u0301', '\n'), fc.string({ unit: 'binary' })),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    await fc.assert(
      fc.asyncProperty(words, fc.integer({ min: 1, max: 900 }), async (words, times) => {
        const text = words.join('').repeat(times)
        fc.pre(text.trim() !== '')
        const { speech, sent } = echo()
        const spoken = String(await read(speech.speak(text)))
        const solid = (given: string) => given.replace(/\s/g, '')
        expect(solid(spoken)).toBe(solid(text.toWellFormed()))
        for (const { json } of sent) {
          expect(String(json['input']).length).toBeLessThanOrEqual(4096)
          expect(String(json['input']).trim()).not.toBe('')
        }
      }),
      { numRuns: 40 },
    )
  })

  it('is cut only when it must be, and well-formed', async () => {
    const { speech, sent } = echo()
    await read(speech.speak('x'.repeat(4096)))
    await read(speech.speak('x'.repeat(4097)))
    await read(speech.speak('half \ud83d'))
    expect(sent.map(({ json }) => String(json['input']).length)).toEqual([4096, 4096, 1, 6])
    expect(sent[3]?.json['input']).toBe('half \ufffd')
  })

  it('asks for no further part once it is left', async () => {
    const { speech, sent } = echo()
    for await (const _ of speech.speak(sentence.repeat(400))) break
    expect(sent).toHaveLength(1)
  })

  it('tells of a part that fails', async () => {
    const { fetch } = recordedFetch((_, index) =>
      index === 0 ? new Response('sound', sound) : Response.json({ error: { message: 'Down.' } }, { status: 500 }),
    )
    const heard: Uint8Array[] = []
    const speaking = async () => {
      for await (const chunk of openaiSpeech({ ...options, fetch }).speak(sentence.repeat(200))) heard.push(chunk)
    }
    expect(await failureOf(speaking())).toMatchObject({ code: 'provider.unavailable' })
    expect(String(Buffer.concat(heard))).toBe('sound')
  })

  const inWaves = (format: SpeechFormat) => {
    const { fetch, sent } = recordedFetch((_, index) => new Response(wave(`part ${index};`), sound))
    return { speech: openaiSpeech({ ...options, fetch, format }), sent }
  }

  it('is one file in wav', async () => {
    const heard = await read(inWaves('wav').speech.speak(sentence.repeat(200)))
    expect(heard.subarray(44).toString()).toBe('part 0;part 1;')
    expect(heard.readUInt32LE(4)).toBe(0xffffffff)
    expect(await read(inWaves('wav').speech.speak('Short.'))).toEqual(wave('part 0;'))
  })

  it('is none when it should be one file in wav, and something else comes', async () => {
    const failure = await failureOf(read(echo({ format: 'wav' }).speech.speak(sentence.repeat(200))))
    expect(failure).toMatchObject({ code: 'provider.bad-reply' })
  })

  it('is refused unsent in flac', async () => {
    const { speech, sent } = echo({ format: 'flac' })
    const failure = await failureOf(read(speech.speak(sentence.repeat(200))))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option: 'text' } })
    expect(sent).toEqual([])
    expect(String(await read(speech.speak('Short.')))).toBe('Short.')
  })
})
