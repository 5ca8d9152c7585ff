// Everything here is public API: a name that is added is a promise.
export { openaiTokens } from './openai-tokens.ts'
