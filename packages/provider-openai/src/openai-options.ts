import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import { CLIENT_OPTION_NAMES } from './client-option-names.ts'
import type { OpenAIClientOptions } from './openai-client.ts'
import { requireCount, requireName, requireOneOf } from './require-option.ts'

export interface ReasoningOptions {
  /** How much a model may think before it answers; which words a model takes is said in its documents. @default the model's own */
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  /** Has the model sum up its thoughts, which are not shown otherwise. @default no summary */
  readonly summary?: 'auto' | 'concise' | 'detailed'
}

export interface OpenAIOptions extends OpenAIClientOptions {
  /** Such as `gpt-5.2`. */
  readonly model: string
  /** The longest reply, in tokens, thoughts included. @default the model's own; 16,000 are kept free for it */
  readonly maxOutputTokens?: number
  /** Input and output together, in tokens. @default 128,000 */
  readonly contextWindow?: number
  /**
   * How a model thinks, left out for those that are known not to; or only whether it does, where its name does not tell.
   * @default by the model's name
   */
  readonly reasoning?: ReasoningOptions | boolean
  /** 0 to 2. Left out for models that are known to take none. @default the model's own */
  readonly temperature?: number
  /** How long answers are to be. Left out for models that are known not to take it. @default the model's own */
  readonly verbosity?: 'low' | 'medium' | 'high'
  /** Whether OpenAI keeps requests and replies. Nothing here needs it to. @default false */
  readonly store?: boolean
  /** Requests with one key are more likely to find what they share in the cache. Up to 64 characters. @default none */
  readonly promptCacheKey?: string
  /** Reads replies as they are made. Off, a reply comes in one piece: for proxies that cannot stream. @default true */
  readonly streaming?: boolean
}

const OPTIONS: OptionNames<OpenAIOptions> = {
  ...CLIENT_OPTION_NAMES,
  model: true,
  maxOutputTokens: true,
  contextWindow: true,
  reasoning: true,
  temperature: true,
  verbosity: true,
  store: true,
  promptCacheKey: true,
  streaming: true,
}
const REASONING: OptionNames<ReasoningOptions> = { effort: true, summary: true }

const EFFORTS = { none: true, minimal: true, low: true, medium: true, high: true, xhigh: true, max: true }
const SUMMARIES = { auto: true, concise: true, detailed: true }
const VERBOSITIES = { low: true, medium: true, high: true }

/** The API takes no longer one. */
const LONGEST_CACHE_KEY = 64

/** The options with their defaults. Throws `options.invalid` for those that cannot be used. */
export function readOpenAIOptions(options: OpenAIOptions) {
  checkOptions('openai', options, OPTIONS)
  const { model, maxOutputTokens, contextWindow = 128_000, store = false, streaming = true } = options
  const { reasoning, temperature, verbosity, promptCacheKey } = options
  requireName('model', model)
  requireCount('maxOutputTokens', maxOutputTokens)
  requireCount('contextWindow', contextWindow)
  if (reasoning !== undefined && typeof reasoning !== 'boolean') checkReasoning(reasoning)
  if (verbosity !== undefined) requireOneOf('verbosity', verbosity, VERBOSITIES)
  if (promptCacheKey !== undefined) requireName('promptCacheKey', promptCacheKey)
  if (promptCacheKey !== undefined && promptCacheKey.length > LONGEST_CACHE_KEY) {
    throw invalidOption('promptCacheKey', `give at most ${LONGEST_CACHE_KEY} characters`)
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    throw invalidOption('temperature', 'give a number from 0 to 2')
  }
  return { ...options, contextWindow, store, streaming }
}

function checkReasoning(reasoning: ReasoningOptions): void {
  if (typeof reasoning !== 'object' || reasoning === null) {
    throw invalidOption('reasoning', 'give true, false, or an object with "effort", "summary" or both')
  }
  checkOptions('openai({ reasoning })', reasoning, REASONING)
  const { effort, summary } = reasoning
  if (effort !== undefined) requireOneOf('reasoning.effort', effort, EFFORTS)
  if (summary !== undefined) requireOneOf('reasoning.summary', summary, SUMMARIES)
}
