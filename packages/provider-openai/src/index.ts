// Everything here is public API: a name that is added is a promise.
export type { OpenAICompatibleOptions } from './compatible-options.ts'
export { openai } from './openai.ts'
export type { OpenAIClientOptions } from './openai-client.ts'
export { openaiCompatible } from './openai-compatible.ts'
export type { OpenAIOptions, ReasoningOptions } from './openai-options.ts'
