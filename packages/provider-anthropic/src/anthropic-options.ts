import type Anthropic from '@anthropic-ai/sdk'
import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import type { AnthropicClientOptions } from './anthropic-client.ts'

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

/** The options with their defaults. Throws `options.invalid` for those that `taker` cannot use. */
export function readOptions(taker: string, options: AnthropicOptions) {
  checkOptions(taker, options, OPTIONS)
  if (typeof options.model !== 'string' || options.model === '')
    throw invalidOption('model', 'give the name of a model')
  const { maxOutputTokens = 16_000, contextWindow = 200_000, promptCaching = true, streaming = true } = options
  return { ...options, maxOutputTokens, contextWindow, promptCaching, streaming }
}
