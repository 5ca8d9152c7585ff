import type { OptionNames } from '@orra/core'
import type { OpenAIClientOptions } from './openai-client.ts'

export const CLIENT_OPTION_NAMES: OptionNames<OpenAIClientOptions> = {
  apiKey: true,
  baseURL: true,
  fetch: true,
  headers: true,
  maxRetries: true,
  client: true,
}
