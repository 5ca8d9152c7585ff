// Everything here is public API: a name that is added is a promise.
export { type AnthropicOptions, anthropic } from './anthropic.ts'
export type { AnthropicClientOptions } from './anthropic-client.ts'
