import Anthropic from '@anthropic-ai/sdk'
import { OrraError } from '@orra/core'

export interface AnthropicClientOptions {
  /** @default the environment's `ANTHROPIC_API_KEY`, read at the first call */
  readonly apiKey?: string
  /** @default the environment's `ANTHROPIC_BASE_URL`, else Anthropic's own */
  readonly baseURL?: string
  readonly fetch?: typeof fetch
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How often a call is tried again before anything of its reply was read. @default 2 */
  readonly maxRetries?: number
  /** A client that is already set up, for other ways to sign in; the options above then do nothing. */
  readonly client?: Anthropic
}

/** The client, made at the first call. Throws `provider.unconfigured` when there is no key. */
export function anthropicClient(options: AnthropicClientOptions): () => Anthropic {
  let made = options.client
  return () => {
    made ??= makeClient(options)
    return made
  }
}

function makeClient({ apiKey, baseURL, fetch, headers, maxRetries = 2 }: AnthropicClientOptions): Anthropic {
  const key = apiKey ?? process.env['ANTHROPIC_API_KEY']
  if (!key) {
    const message = 'There is no key for Anthropic; set ANTHROPIC_API_KEY, or give anthropic({ apiKey }).'
    throw new OrraError('provider.unconfigured', message, {
      details: { provider: 'anthropic', setting: 'ANTHROPIC_API_KEY' },
    })
  }
  return new Anthropic({
    apiKey: key,
    // Nothing but the one key: the SDK would look for other ways to sign in by itself.
    authToken: null,
    maxRetries,
    logLevel: 'off',
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(fetch ? { fetch } : {}),
    ...(headers ? { defaultHeaders: { ...headers } } : {}),
  })
}
