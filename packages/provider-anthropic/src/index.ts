// Everything here is public API: a name that is added is a promise.
export { anthropic } from './anthropic.ts'
export type { AnthropicClientOptions } from './anthropic-client.ts'
export type { AnthropicOptions } from './anthropic-options.ts'
