// Everything here is public API: a name that is added is a promise.
export { anthropicTokens } from './anthropic-tokens.ts'
