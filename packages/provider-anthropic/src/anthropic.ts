import type Anthropic from '@anthropic-ai/sdk'
import {
  checkOptions,
  invalidOption,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  type OptionNames,
  type Provider,
} from '@orra/core'
import { type AnthropicClientOptions, anthropicClient } from './anthropic-client.ts'
import { toProviderError } from './anthropic-error.ts'
import { toModelResponse } from './from-anthropic-message.ts'
import { noReply, replyAssembler } from './reply-assembler.ts'
import { type RequestDefaults, toAnthropicRequest } from './to-anthropic-request.ts'

export interface AnthropicOptions extends AnthropicClientOptions {
  /** Such as `claude-sonnet-5`. */
  readonly model: string
  /** The longest reply, in tokens, thinking included. @default 16,000 */
  readonly maxOutputTokens?: number
  /** Input and output together, in tokens. @default 200,000 */
  readonly contextWindow?: number
  /** How the model may think before it answers, in the words of the Messages API. @default the model's own way */
  readonly thinking?: Anthropic.ThinkingConfigParam
  /** How much work an answer is worth. @default the model's own */
  readonly effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  /** 0 to 1. @default the model's own */
  readonly temperature?: number
  /** Marks where the prompt may be cached: after instructions and tools, and at the newest messages. @default true */
  readonly promptCaching?: boolean
  /** Reads replies as they are made. Off, a reply comes in one piece: for proxies that cannot stream. @default true */
  readonly streaming?: boolean
}

const OPTIONS: OptionNames<AnthropicOptions> = {
  model: true,
  apiKey: true,
  baseURL: true,
  fetch: true,
  headers: true,
  maxRetries: true,
  client: true,
  maxOutputTokens: true,
  contextWindow: true,
  thinking: true,
  effort: true,
  temperature: true,
  promptCaching: true,
  streaming: true,
}

/**
 * A Claude model over the Messages API. The key is read when it is first needed, so a program that never calls the
 * model needs none.
 *
 * @example
 * const provider = anthropic({ model: 'claude-sonnet-5' })
 */
export function anthropic(options: AnthropicOptions): Provider {
  checkOptions('anthropic', options, OPTIONS)
  if (typeof options.model !== 'string' || options.model === '')
    throw invalidOption('model', 'give the name of a model')
  const { model, maxOutputTokens = 16_000, contextWindow = 200_000, promptCaching = true, streaming = true } = options
  const defaults: RequestDefaults = { ...options, maxOutputTokens, promptCaching }
  const limits: ModelLimits = { contextWindow, maxOutputTokens }
  const client = anthropicClient(options)

  async function* stream(request: ModelRequest, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    const body = toAnthropicRequest(request, defaults)
    const call = signal ? { signal } : {}
    try {
      if (!streaming) return yield* inOnePiece(await client().messages.create(body, call))
      const reply = replyAssembler()
      for await (const event of await client().messages.create({ ...body, stream: true }, call)) {
        const delta = reply.take(event)
        if (delta) yield delta
      }
      // The SDK ends an aborted stream as if it were whole.
      signal?.throwIfAborted()
      yield { type: 'finish', ...reply.finish() } satisfies ModelEvent
    } catch (error) {
      throw signal?.aborted ? signal.reason : toProviderError(error)
    }
  }

  return { name: 'anthropic', model, limits, stream }
}

function* inOnePiece(message: Anthropic.Message): Generator<ModelEvent> {
  // A proxy's page may come with a status that says all is well.
  if (!Array.isArray(message?.content)) throw noReply()
  const response = toModelResponse(message)
  for (const part of response.message.content) {
    if (part.type === 'text') yield { type: 'text-delta', text: part.text }
    else if (part.type === 'reasoning') yield { type: 'reasoning-delta', text: part.text }
  }
  yield { type: 'finish', ...response }
}
