import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import { askerFor, askOpenAI, badReply } from '../ask-openai.ts'
import { CLIENT_OPTION_NAMES } from '../client-option-names.ts'
import { type OpenAIClientOptions, openaiClient } from '../openai-client.ts'
import { requireCount, requireName } from '../require-option.ts'
import { toAudioFile } from './audio-file.ts'
import { type Transcript, transcriptIn } from './transcript-in.ts'

/** 25 MB of a whole request, less what stands around the audio. */
const MAX_BYTES = 25 * 1024 * 1024 - 4096

export interface OpenAITranscriberOptions extends OpenAIClientOptions {
  /** @default `whisper-1`, the one of OpenAI's that gives the times of words */
  readonly model?: string
  /** Asks for the times of words; models that have none refuse that. @default whether the model's name holds `whisper` */
  readonly wordTimes?: boolean
  /** The largest audio; a larger one is refused unsent. @default OpenAI's 25 MB for a whole request */
  readonly maxBytes?: number
}

/** Writes down what is said. Holds no state of its callers. */
export interface OpenAITranscriber {
  readonly model: string
  /**
   * What is said in a file of FLAC, MP3, MP4, Ogg, WAV or WebM, which is told by its bytes. Throws `options.invalid` before
   * anything is sent when it is empty, too large, or of a kind that neither its bytes nor the options tell.
   */
  transcribe(audio: Uint8Array, options?: TranscribeOptions): Promise<Transcript>
}

export interface TranscribeOptions {
  readonly signal?: AbortSignal | undefined
  /** What is spoken, as a code of two letters such as `en`. @default the model finds out */
  readonly language?: string
  /** Such as `audio/ogg`, for audio whose bytes do not tell. */
  readonly mediaType?: string
  /** The name of the file, which the server sees. @default `audio` */
  readonly name?: string
}

const OPTIONS: OptionNames<OpenAITranscriberOptions> = {
  ...CLIENT_OPTION_NAMES,
  model: true,
  wordTimes: true,
  maxBytes: true,
}
const TRANSCRIBE_OPTIONS: OptionNames<TranscribeOptions> = { signal: true, language: true, mediaType: true, name: true }

/**
 * OpenAI's transcription, or with `baseURL` that of any server that speaks their API.
 *
 * @example
 * const transcriber = openaiTranscriber({ model: 'gpt-4o-transcribe' })
 */
export function openaiTranscriber(options: OpenAITranscriberOptions = {}): OpenAITranscriber {
  checkOptions('openaiTranscriber', options, OPTIONS)
  const { model = 'whisper-1', maxBytes = MAX_BYTES } = options
  requireName('model', model)
  requireCount('maxBytes', maxBytes)
  const { wordTimes = /whisper/i.test(model) } = options
  if (typeof wordTimes !== 'boolean') throw invalidOption('wordTimes', 'give true or false')
  const asker = askerFor('openaiTranscriber', options)
  const client = openaiClient(options, asker)
  const form = wordTimes
    ? ({ model, response_format: 'verbose_json', timestamp_granularities: ['word'] as 'word'[] } as const)
    : ({ model, response_format: 'json' } as const)

  return {
    model,
    async transcribe(audio, options = {}) {
      checkOptions('transcribe', options, TRANSCRIBE_OPTIONS)
      const { signal, language, mediaType, name } = options
      for (const [option, given] of Object.entries({ language, mediaType, name })) {
        if (given !== undefined) requireName(option, given)
      }
      checkAudio(audio, maxBytes)
      const request = { ...form, file: toAudioFile(audio, mediaType, name), ...(language ? { language } : {}) }
      const reply: unknown = await askOpenAI(asker, signal, (call) =>
        client().audio.transcriptions.create(request, call),
      )
      const found = transcriptIn(reply)
      if (typeof found === 'string') throw badReply(asker, found)
      return found
    },
  }
}

function checkAudio(audio: Uint8Array, maxBytes: number): void {
  if (!(audio instanceof Uint8Array)) throw invalidOption('audio', 'give its bytes as an Uint8Array')
  if (audio.length === 0) throw invalidOption('audio', 'it is empty')
  if (audio.length > maxBytes) {
    throw invalidOption(
      'audio',
      `it has ${audio.length} bytes, and ${maxBytes} may be sent; send parts of it, or a denser format`,
    )
  }
}
