import { LLMock } from '@copilotkit/aimock'
import { type OpenAITranscriberOptions, openaiTranscriber, type TranscribeOptions } from '@orra/provider-openai/speech'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toLanguageCode } from '../src/speech/language-code.ts'
import { FAILURES, failing, failureOf, recordedFetch, silentFetch } from './recorded-fetch.ts'
import { wave } from './wave.ts'

const options = { apiKey: 'test-key', maxRetries: 0 } as const
const audio = wave('samples')

function answering(reply: unknown, more: Partial<OpenAITranscriberOptions> = {}) {
  const { fetch, sent } = recordedFetch(() => Response.json(reply))
  return { sent, transcriber: openaiTranscriber({ ...options, fetch, ...more }) }
}

function head(...bytes: (number | string)[]): Uint8Array {
  return Buffer.concat([
    ...bytes.map((part) => Buffer.from(typeof part === 'string' ? part : [part])),
    Buffer.alloc(20),
  ])
}

describe('a transcription', () => {
  it('comes with the times of its words, its language and its length', async () => {
    const { transcriber, sent } = answering({
      task: 'transcribe',
      language: 'english',
      duration: 2.95,
      text: 'Hello, Bob.',
      words: [
        { word: 'Hello', start: 0, end: 0.51 },
        { word: 'Bob', start: 0.5199999809265137, end: 1.1 },
      ],
    })
    expect(await transcriber.transcribe(audio)).toEqual({
      text: 'Hello, Bob.',
      language: 'en',
      durationMs: 2950,
      words: [
        { text: 'Hello', startMs: 0, endMs: 510 },
        { text: 'Bob', startMs: 520, endMs: 1100 },
      ],
    })
    expect(transcriber.model).toBe('whisper-1')
    expect(sent[0]?.path).toBe('/v1/audio/transcriptions')
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer test-key')
    const { file, ...fields } = Object.fromEntries(sent[0]?.form ?? [])
    expect(fields).toEqual({ model: 'whisper-1', response_format: 'verbose_json', 'timestamp_granularities[]': 'word' })
    expect(file).toMatchObject({ name: 'audio.wav', type: 'audio/wav' })
    expect(Buffer.from(await (file as File).arrayBuffer())).toEqual(audio)
  })

  it('comes from a model server over HTTP', async () => {
    const mock = new LLMock({ port: 0, logLevel: 'silent' })
    const words = [{ word: 'Hi', start: 0.1, end: 0.4 }]
    mock.onTranscription({ transcription: { text: 'Hi', language: 'german', duration: 1, words } })
    const baseURL = `${await mock.start()}/v1`
    try {
      expect(await openaiTranscriber({ ...options, baseURL }).transcribe(audio)).toEqual({
        text: 'Hi',
        language: 'de',
        durationMs: 1000,
        words: [{ text: 'Hi', startMs: 100, endMs: 400 }],
      })
    } finally {
      await mock.stop()
    }
  })

  it('of a model without times has none', async () => {
    const reply = { text: 'Hello', languages: [{ code: 'en' }], usage: { type: 'tokens', input_tokens: 3 } }
    const { transcriber, sent } = answering(reply, { model: 'gpt-transcribe' })
    expect(await transcriber.transcribe(audio, { language: 'en' })).toEqual({ text: 'Hello', language: 'en' })
    const { file: _, ...fields } = Object.fromEntries(sent[0]?.form ?? [])
    expect(fields).toEqual({ model: 'gpt-transcribe', response_format: 'json', language: 'en' })
  })

  it.each([
    ['whisper-1', undefined, 'verbose_json'],
    ['Systran/faster-Whisper-large-v3', undefined, 'verbose_json'],
    ['gpt-4o-transcribe', undefined, 'json'],
    ['whisper-1', false, 'json'],
    ['parakeet', true, 'verbose_json'],
  ])('of %s with wordTimes %s is asked for as %s', async (model, wordTimes, format) => {
    const { transcriber, sent } = answering({ text: '' }, { model, ...(wordTimes === undefined ? {} : { wordTimes }) })
    expect(await transcriber.transcribe(audio)).toEqual({ text: '' })
    expect(sent[0]?.form.get('response_format')).toBe(format)
  })

  it('reads what servers say in other ways', async () => {
    const transcript = (reply: object) => answering({ text: 'Hi', ...reply }).transcriber.transcribe(audio)
    expect(await transcript({ duration: '1.5' })).toEqual({ text: 'Hi', durationMs: 1500 })
    expect(await transcript({ usage: { type: 'duration', seconds: 3 } })).toEqual({ text: 'Hi', durationMs: 3000 })
    expect(await transcript({ duration: 'long', language: null, words: null })).toEqual({ text: 'Hi' })
    expect(await transcript({ languages: [], words: [] })).toEqual({ text: 'Hi' })
    expect(await transcript({ text: ' ', words: [] })).toEqual({ text: ' ', words: [] })
  })

  it('has words that never end before they begin', async () => {
    const seconds = fc.double({ min: 0, max: 10_000, noNaN: true })
    const words = fc.array(fc.record({ word: fc.string(), start: seconds, end: seconds }))
    await fc.assert(
      fc.asyncProperty(words, async (words) => {
        const transcript = await answering({ text: '', words }).transcriber.transcribe(audio)
        expect(transcript.words?.map(({ text }) => text)).toEqual(words.map(({ word }) => word))
        transcript.words?.forEach(({ startMs, endMs }, index) => {
          expect(startMs).toBe(Math.round((words[index]?.start ?? 0) * 1000))
          expect(endMs).toBe(Math.round(Math.max(words[index]?.start ?? 0, words[index]?.end ?? 0) * 1000))
        })
      }),
      { numRuns: 40 },
    )
  })

  it.each([
    ['nothing', null],
    ['no text', { words: [] }],
    ['text that is none', { text: 7 }],
    ['a word without times', { text: 'secret', words: [{ word: 'secret' }] }],
    ['a word with times that are none', { text: 'secret', words: [{ word: 'secret', start: -1, end: 'soon' }] }],
    ['a word that is none', { text: 'secret', words: [null] }],
    ['words that are no list', { text: 'secret', words: 'secret' }],
  ])('is none when %s comes', async (_, reply) => {
    const failure = await failureOf(answering(reply).transcriber.transcribe(audio))
    expect(failure).toMatchObject({ code: 'provider.bad-reply', details: { provider: 'openai' } })
    expect((failure as Error).message).not.toContain('secret')
  })

  it('is none when a page comes', async () => {
    const { fetch } = recordedFetch(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }))
    const failure = await failureOf(openaiTranscriber({ ...options, fetch }).transcribe(audio))
    expect(failure).toMatchObject({ code: 'provider.bad-reply' })
  })

  it.each(FAILURES)('that fails with %i, %s throws %s', async (status, type, code, retryable) => {
    const failure = await failureOf(openaiTranscriber({ ...options, fetch: failing(status, type) }).transcribe(audio))
    expect(failure).toMatchObject({ code, retryable, details: { provider: 'openai', status } })
    expect((failure as Error).message).not.toMatch(/secret|test-key/)
  })

  it('can be stopped, before and in the midst', async () => {
    const { fetch, asked } = silentFetch()
    const stop = new AbortController()
    const reason = new Error('enough')
    const { signal } = stop
    const failure = failureOf(openaiTranscriber({ ...options, fetch }).transcribe(audio, { signal }))
    await asked
    stop.abort(reason)
    expect(await failure).toBe(reason)
    const { transcriber, sent } = answering({ text: '' })
    expect(await failureOf(transcriber.transcribe(audio, { signal }))).toBe(reason)
    expect(sent).toEqual([])
  })
})

describe('the audio', () => {
  it.each([
    ['FLAC', head('fLaC'), {}, 'audio.flac', 'audio/flac'],
    ['Ogg', head('OggS'), {}, 'audio.ogg', 'audio/ogg'],
    ['WebM', head(0x1a, 0x45, 0xdf, 0xa3), {}, 'audio.webm', 'audio/webm'],
    ['MP4', head(0, 0, 0, 32, 'ftypM4A '), {}, 'audio.mp4', 'audio/mp4'],
    ['MP3 with a tag', head('ID3'), {}, 'audio.mp3', 'audio/mpeg'],
    ['MP3 without one', head(0xff, 0xfb), {}, 'audio.mp3', 'audio/mpeg'],
    ['what is said to be another kind', head('OggS'), { mediaType: 'audio/mpeg' }, 'audio.ogg', 'audio/ogg'],
    ['a message with a name', head('OggS'), { name: 'voice-message.ogg' }, 'voice-message.ogg', 'audio/ogg'],
    ['a name of another kind', head('OggS'), { name: 'voice.opus' }, 'voice.opus.ogg', 'audio/ogg'],
    ['M4A by its name', head(0, 0, 0, 32, 'ftypM4A '), { name: 'Voice.M4A' }, 'Voice.M4A', 'audio/mp4'],
    ['a kind that is said', head('?'), { mediaType: 'audio/ogg; codecs=opus' }, 'audio.ogg', 'audio/ogg'],
    ['a kind that only the server knows', head('?'), { mediaType: 'audio/amr', name: 'a.amr' }, 'a.amr', 'audio/amr'],
    ['a name alone', head('?'), { name: 'a.mpga' }, 'a.mpga', ''],
  ])('is sent as what it is: %s', async (_, audio, given, name, type) => {
    const { transcriber, sent } = answering({ text: '' })
    await transcriber.transcribe(audio, given)
    expect(sent[0]?.form.get('file')).toMatchObject({ name, type, size: audio.length })
  })

  it.each([
    ['none', new Uint8Array(), {}, 'audio'],
    ['too much', wave('x'.repeat(25 * 1024 * 1024)), {}, 'audio'],
    ['too much for what stands around it', wave('x'.repeat(25 * 1024 * 1024 - 44)), {}, 'audio'],
    ['what is no bytes', 'secret', {}, 'audio'],
    ['AAC, which cannot be told from its bytes', head(0xff, 0xf1), {}, 'mediaType'],
    ['an empty language', audio, { language: '' }, 'language'],
    ['a misspelt option', audio, { lang: 'en' }, 'lang'],
  ])('is refused unsent: %s', async (_, audio, given, option) => {
    const { transcriber, sent } = answering({ text: '' })
    const failure = await failureOf(transcriber.transcribe(audio as Uint8Array, given as TranscribeOptions))
    expect(failure).toMatchObject({ code: 'options.invalid', details: { option } })
    expect((failure as Error).message).not.toContain('secret')
    expect(sent).toEqual([])
  })

  it('may be as large as the server says', async () => {
    const { transcriber, sent } = answering({ text: '' }, { maxBytes: audio.length })
    await transcriber.transcribe(audio)
    expect(await failureOf(transcriber.transcribe(wave('more samples')))).toMatchObject({ code: 'options.invalid' })
    expect(sent).toHaveLength(1)
  })

  it('of the largest size fits in a request', async () => {
    let length = 0
    const { fetch } = recordedFetch(async ({ form }) => {
      length = (await new Response(form).arrayBuffer()).byteLength
      return Response.json({ text: '' })
    })
    const largest = new Uint8Array(25 * 1024 * 1024 - 4096)
    largest.set(audio)
    await openaiTranscriber({ ...options, fetch }).transcribe(largest, { name: '€'.repeat(300), language: 'en' })
    expect(length).toBeGreaterThan(largest.length)
    expect(length).toBeLessThanOrEqual(25 * 1024 * 1024)
  })
})

describe('options that are wrong', () => {
  it.each([
    ['a misspelt name', { apikey: 'k' }],
    ['an empty model', { model: '' }],
    ['no truth', { wordTimes: 'yes' }],
    ['no size', { maxBytes: -1 }],
  ])('are told at once: %s', (_, wrong) => {
    expect(() => openaiTranscriber(wrong as never)).toThrow(expect.objectContaining({ code: 'options.invalid' }))
  })
})

describe('a language', () => {
  it.each([
    ['English', 'en'],
    ['german', 'de'],
    ['maori', 'mi'],
    ['haitian creole', 'ht'],
    ['hebrew', 'he'],
    ['myanmar', 'my'],
    ['nynorsk', 'nn'],
    ['cantonese', 'yue'],
    ['hawaiian', 'hawaiian'],
    ['en', 'en'],
    ['de', 'de'],
  ])('%s is %s', (name, code) => {
    expect(toLanguageCode(name)).toBe(code)
  })
})
