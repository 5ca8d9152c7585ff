import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import { CLIENT_OPTION_NAMES } from './client-option-names.ts'
import type { OpenAIClientOptions } from './openai-client.ts'
import { requireCount, requireName, requireOneOf } from './require-option.ts'

export interface OpenAICompatibleOptions extends Omit<OpenAIClientOptions, 'baseURL' | 'apiKey'> {
  /** Such as `http://localhost:11434/v1`. Not needed with a `client`. */
  readonly baseURL?: string
  /** As the server names it. */
  readonly model: string
  /** What the provider is called where it is one of several, in prices and in errors. @default openai-compatible */
  readonly name?: string
  /** @default none; then the server is sent the word `none`, and nothing of the environment's */
  readonly apiKey?: string
  /** Input and output together, in tokens. @default 128,000 */
  readonly contextWindow?: number
  /** The longest reply, in tokens. @default the server's own; a quarter of the window is kept free for it */
  readonly maxOutputTokens?: number
  /** The field in which a server wants to be told the longest reply. @default max_tokens */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** @default the server's own */
  readonly temperature?: number
  /** How much a model thinks before it answers, in the server's words, such as `low`. @default the server's own */
  readonly reasoningEffort?: string
  /** How an answer by a schema is asked for: as a format, or, where a server has none, as the input of a tool. @default native */
  readonly structuredOutput?: 'native' | 'tool'
  /** Reads replies as they are made. Off, a reply comes in one piece: for servers that cannot stream. @default true */
  readonly streaming?: boolean
}

const OPTIONS: OptionNames<OpenAICompatibleOptions> = {
  ...CLIENT_OPTION_NAMES,
  model: true,
  name: true,
  contextWindow: true,
  maxOutputTokens: true,
  maxTokensField: true,
  temperature: true,
  reasoningEffort: true,
  structuredOutput: true,
  streaming: true,
}

/** The options with their defaults. Throws `options.invalid` for those that cannot be used. */
export function readCompatibleOptions(options: OpenAICompatibleOptions) {
  checkOptions('openaiCompatible', options, OPTIONS)
  const {
    name = 'openai-compatible',
    contextWindow = 128_000,
    maxTokensField = 'max_tokens',
    structuredOutput = 'native',
    streaming = true,
  } = options
  const { model, baseURL, client, maxOutputTokens } = options
  if (!client && !isUrl(baseURL)) {
    throw invalidOption('baseURL', 'give the http or https URL of the server, such as http://localhost:11434/v1')
  }
  requireName('model', model)
  requireName('name', name)
  requireCount('contextWindow', contextWindow)
  requireCount('maxOutputTokens', maxOutputTokens)
  requireOneOf('maxTokensField', maxTokensField, { max_tokens: true, max_completion_tokens: true })
  requireOneOf('structuredOutput', structuredOutput, { native: true, tool: true })
  return { ...options, name, contextWindow, maxTokensField, structuredOutput, streaming }
}

function isUrl(url: unknown): boolean {
  return typeof url === 'string' && /^https?:/.test(url) && URL.canParse(url)
}
