import Anthropic from '@anthropic-ai/sdk'
import { OrraError } from '@orra/core'
import { retryOnlySoon } from './retry-only-soon.ts'
import { undiciFetch } from './undici-fetch.ts'

/** For one try of a call, until its reply begins; the SDK's own default, which it wants said for long replies. */
const TIMEOUT_MS = 600_000

export interface AnthropicClientOptions {
  /** @default the environment's `ANTHROPIC_API_KEY`, read at the first call */
  readonly apiKey?: string
  /** @default the environment's `ANTHROPIC_BASE_URL`, else Anthropic's own */
  readonly baseURL?: string
  /** @default one on undici's `request`, which is cheaper than the platform's */
  readonly fetch?: typeof fetch
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How often a call is tried again before anything of its reply was read, unless the wait is to be long. @default 2 */
  readonly maxRetries?: number
  /** A client that is already set up, for other ways to sign in; the options above then do nothing. */
  readonly client?: Anthropic
}

/** The client, made at the first call. Throws `provider.unconfigured` when a setting is missing or cannot be one. */
export function anthropicClient(options: AnthropicClientOptions): () => Anthropic {
  let made = options.client
  return () => {
    made ??= makeClient(options)
    return made
  }
}

function makeClient({
  apiKey,
  baseURL,
  fetch = undiciFetch,
  headers,
  maxRetries = 2,
}: AnthropicClientOptions): Anthropic {
  return new Anthropic({
    apiKey: requireKey(apiKey ?? process.env['ANTHROPIC_API_KEY']),
    // Nothing but the one key: the SDK would look for other ways to sign in by itself.
    authToken: null,
    baseURL: requireUrl(baseURL ?? process.env['ANTHROPIC_BASE_URL']),
    maxRetries: requireCount(maxRetries),
    timeout: TIMEOUT_MS,
    logLevel: 'off',
    fetch: retryOnlySoon(fetch),
    ...(headers ? { defaultHeaders: { ...headers } } : {}),
  })
}

function requireKey(key: string | undefined): string {
  if (!key)
    throw unconfigured(
      'There is no key for Anthropic; set ANTHROPIC_API_KEY, or give anthropic({ apiKey }).',
      'ANTHROPIC_API_KEY',
    )
  if (/^[\x21-\x7e]+$/.test(key)) return key
  const message =
    'The key for Anthropic holds a space, a line end or a character that no key has; copy ANTHROPIC_API_KEY anew.'
  throw unconfigured(message, 'ANTHROPIC_API_KEY')
}

function requireUrl(url: string | undefined): string | null {
  if (!url) return null
  if (/^https?:/.test(url) && URL.canParse(url)) return url
  throw unconfigured(
    'The base URL for Anthropic is no http or https URL; put ANTHROPIC_BASE_URL or baseURL right.',
    'ANTHROPIC_BASE_URL',
  )
}

function requireCount(maxRetries: number): number {
  if (Number.isInteger(maxRetries) && maxRetries >= 0) return maxRetries
  throw unconfigured('The option maxRetries must be a whole number, 0 or above.', 'maxRetries')
}

function unconfigured(message: string, setting: string): OrraError<'provider.unconfigured'> {
  return new OrraError('provider.unconfigured', message, { details: { provider: 'anthropic', setting } })
}
