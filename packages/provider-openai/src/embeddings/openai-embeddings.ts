import { checkOptions, invalidOption, type OptionNames, type Usage } from '@orra/core'
import { askerFor, askOpenAI, badReply } from '../ask-openai.ts'
import { CLIENT_OPTION_NAMES } from '../client-option-names.ts'
import { type OpenAIClientOptions, openaiClient } from '../openai-client.ts'
import { requireCount, requireName } from '../require-option.ts'
import { toldUsage } from '../told-usage.ts'
import { checkTexts } from './check-texts.ts'
import { toBatches } from './to-batches.ts'
import { type Vector, vectorsIn } from './vectors-in.ts'

export interface OpenAIEmbeddingsOptions extends OpenAIClientOptions {
  /** Such as `text-embedding-3-small`. */
  readonly model: string
  /** How many numbers a vector is to have. @default the model's own */
  readonly dimensions?: number
  /** The longest text, in tokens; one that is surely longer is refused unsent. @default 8,192 with OpenAI's own, else none */
  readonly maxInputTokens?: number
  /** How many texts a request may hold. @default 2,048, as OpenAI's */
  readonly maxBatchSize?: number
}

/** Turns texts into vectors. Holds no state of its callers. */
export interface OpenAIEmbeddings {
  readonly model: string
  /**
   * One vector a text, in their order, all of one length. Sends as many requests as the API's limits need, one after another,
   * and gives nothing when one of them fails. Throws `options.invalid` that names a text which cannot be sent, such as
   * `texts[3]`, before anything is.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<readonly Vector[]>
}

export interface EmbedOptions {
  readonly signal?: AbortSignal | undefined
  /** Told what each request cost, also when a later one fails; of servers that do not say it, nothing is told. */
  readonly onUsage?: ((usage: Usage) => void) | undefined
}

const OPTIONS: OptionNames<OpenAIEmbeddingsOptions> = {
  ...CLIENT_OPTION_NAMES,
  model: true,
  dimensions: true,
  maxInputTokens: true,
  maxBatchSize: true,
}
const EMBED_OPTIONS: OptionNames<EmbedOptions> = { signal: true, onUsage: true }

/**
 * OpenAI's embeddings, or with `baseURL` those of any server that speaks their API.
 *
 * @example
 * const embeddings = openaiEmbeddings({ model: 'text-embedding-3-small' })
 */
export function openaiEmbeddings(options: OpenAIEmbeddingsOptions): OpenAIEmbeddings {
  checkOptions('openaiEmbeddings', options, OPTIONS)
  const { model, dimensions, maxInputTokens, maxBatchSize = 2048 } = options
  requireName('model', model)
  for (const [name, count] of Object.entries({ dimensions, maxInputTokens, maxBatchSize })) requireCount(name, count)
  const asker = askerFor('openaiEmbeddings', options)
  const longest = maxInputTokens ?? (asker.isForeign ? Number.POSITIVE_INFINITY : 8192)
  const client = openaiClient(options, asker)
  const settings = { model, encoding_format: 'base64', ...(dimensions === undefined ? {} : { dimensions }) } as const

  return {
    model,
    async embed(texts, options = {}) {
      checkOptions('embed', options, EMBED_OPTIONS)
      const { signal, onUsage } = options
      if (onUsage !== undefined && typeof onUsage !== 'function') throw invalidOption('onUsage', 'give a function')
      const vectors: Vector[] = []
      for (const input of toBatches(checkTexts(texts, longest), maxBatchSize)) {
        const reply: unknown = await askOpenAI(asker, signal, (call) =>
          client().embeddings.create({ ...settings, input }, call),
        )
        const usage = toldUsage(reply)
        if (usage) onUsage?.(usage)
        const found = vectorsIn(reply, input.length, dimensions ?? vectors[0]?.length)
        if (typeof found === 'string') throw badReply(asker, found)
        for (const vector of found) vectors.push(vector)
      }
      return vectors
    },
  }
}
