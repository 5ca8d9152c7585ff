import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import { askerFor, askOpenAI, badReply } from '../ask-openai.ts'
import { CLIENT_OPTION_NAMES } from '../client-option-names.ts'
import { type OpenAIClientOptions, openaiClient } from '../openai-client.ts'
import { requireName, requireOneOf } from '../require-option.ts'
import { joinWaves } from './join-waves.ts'
import { soundIn } from './sound-in.ts'
import { splitText } from './split-text.ts'

/** The longest text of a request; the API counts characters, of which there are never more than UTF-16 units. */
const MAX_LENGTH = 4096

/** `pcm` has no header: 16-bit samples, little-endian, of one channel; OpenAI's come 24,000 a second. */
export type SpeechFormat = 'mp3' | 'opus' | 'aac' | 'flac' | 'wav' | 'pcm'

const MEDIA_TYPES: { readonly [Format in SpeechFormat]: string } = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
}

export interface OpenAISpeechOptions extends OpenAIClientOptions {
  /** @default `gpt-4o-mini-tts` */
  readonly model?: string
  /** @default `alloy` */
  readonly voice?: string
  /** @default `mp3` */
  readonly format?: SpeechFormat
}

/** Speaks texts. Holds no state of its callers. */
export interface OpenAISpeech {
  readonly model: string
  /** Of the sound, such as `audio/mpeg`. */
  readonly mediaType: string
  /**
   * The sound of a text, while it is made; leaving early closes the connection. Of a text over 4,096 characters, that of its
   * parts one after another, cut where sentences end: one file in `wav`, in the others files that follow each other, which
   * players go on over. `flac` cannot do that, and throws `options.invalid`, as blank text does.
   */
  speak(text: string, options?: SpeakOptions): AsyncIterable<Uint8Array>
}

export interface SpeakOptions {
  readonly signal?: AbortSignal | undefined
  /** @default that of the factory */
  readonly voice?: string
  /** How to speak, such as `Speak slowly and warmly.`; not all models heed it. */
  readonly instructions?: string
}

const OPTIONS: OptionNames<OpenAISpeechOptions> = { ...CLIENT_OPTION_NAMES, model: true, voice: true, format: true }
const SPEAK_OPTIONS: OptionNames<SpeakOptions> = { signal: true, voice: true, instructions: true }

/**
 * OpenAI's voices, or with `baseURL` those of any server that speaks their API.
 *
 * @example
 * const speech = openaiSpeech({ voice: 'marin', format: 'opus' })
 */
export function openaiSpeech(options: OpenAISpeechOptions = {}): OpenAISpeech {
  checkOptions('openaiSpeech', options, OPTIONS)
  const { model = 'gpt-4o-mini-tts', voice: usual = 'alloy', format = 'mp3' } = options
  requireName('model', model)
  requireName('voice', usual)
  requireOneOf('format', format, MEDIA_TYPES)
  const asker = askerFor('openaiSpeech', options)
  const client = openaiClient(options, asker)

  async function* say(input: string, options: SpeakOptions) {
    const { signal, voice = usual, instructions } = options
    const request = { model, voice, input, response_format: format, ...(instructions ? { instructions } : {}) }
    const reply = await askOpenAI(asker, signal, (call) => client().audio.speech.create(request, call))
    yield* soundIn(reply, asker, signal)
  }

  async function* speak(text: string, options: SpeakOptions = {}) {
    checkOptions('speak', options, SPEAK_OPTIONS)
    if (options.voice !== undefined) requireName('voice', options.voice)
    const parts = toParts(text)
    if (parts.length > 1 && format === 'flac') {
      throw invalidOption(
        'text',
        `it is longer than ${MAX_LENGTH} characters, which "flac" cannot hold; choose another format`,
      )
    }
    if (parts.length > 1 && format === 'wav') {
      yield* joinWaves(
        parts.map((part) => say(part, options)),
        () => badReply(asker, 'it is no WAV file'),
      )
    } else {
      for (const part of parts) yield* say(part, options)
    }
  }

  return { model, mediaType: MEDIA_TYPES[format], speak }
}

function toParts(text: string): readonly string[] {
  if (typeof text !== 'string') throw invalidOption('text', 'give text')
  const parts = splitText(text.toWellFormed(), MAX_LENGTH).filter((part) => part.trim() !== '')
  if (parts.length === 0) throw invalidOption('text', 'it is empty')
  return parts
}
