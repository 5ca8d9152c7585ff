import { OrraError } from '@orra/core'
import OpenAI from 'openai'
import { goNowhereElse } from './go-nowhere-else.ts'
import { retryOnlySoon } from './retry-only-soon.ts'
import { tellFailure } from './tell-failure.ts'

/** For one try of a call, until its reply begins; the SDK's own default. */
const TIMEOUT_MS = 600_000

export interface OpenAIClientOptions {
  /** @default the environment's `OPENAI_API_KEY`, read at the first call */
  readonly apiKey?: string
  /** @default the environment's `OPENAI_BASE_URL`, else OpenAI's own */
  readonly baseURL?: string
  /** @default the platform's */
  readonly fetch?: typeof fetch
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How often a call is tried again before anything of its reply was read, unless the wait is to be long. @default 2 */
  readonly maxRetries?: number
  /** A client that is already set up, for other ways to sign in, such as Azure's; the options above then do nothing. */
  readonly client?: OpenAI
}

/** Who asks, as messages name it. */
export interface Asker {
  /** The name of the provider. */
  readonly provider: string
  /** Such as `openai`, for what an option belongs to. */
  readonly factory: string
  /** Another server than OpenAI's own is asked, which is shown nothing of the environment. @default false */
  readonly isForeign?: boolean
  /** Such a server is not asked without a key. @default false, as local ones want none */
  readonly needsKey?: boolean
}

/** The client, made at the first call. Throws `provider.unconfigured` when a setting is missing or cannot be one. */
export function openaiClient(options: OpenAIClientOptions, asker: Asker): () => OpenAI {
  let made = options.client
  return () => {
    made ??= makeClient(options, asker)
    return made
  }
}

function makeClient(options: OpenAIClientOptions, asker: Asker): OpenAI {
  const { apiKey, baseURL, fetch: send = fetch, headers, maxRetries = 2 } = options
  const make = () =>
    new OpenAI({
      apiKey: requireKey(apiKey, asker),
      baseURL: requireUrl(baseURL, asker),
      maxRetries: requireCount(maxRetries, asker),
      timeout: TIMEOUT_MS,
      logLevel: 'off',
      fetch: retryOnlySoon(tellFailure(goNowhereElse(send))),
      // Nor is the account there, which the SDK would take from the environment.
      ...(asker.isForeign ? { organization: null, project: null } : {}),
      ...(headers ? { defaultHeaders: headers } : {}),
    })
  return asker.isForeign ? withoutCustomHeaders(make) : make()
}

/**
 * What is made without the headers that the environment has for OpenAI. The SDK takes them to any server, in the place of the
 * key even, and fails where a line is no header; as it reads them at once, nobody else sees them missing.
 */
function withoutCustomHeaders<Made>(make: () => Made): Made {
  const { OPENAI_CUSTOM_HEADERS: headers } = process.env
  if (headers === undefined) return make()
  delete process.env['OPENAI_CUSTOM_HEADERS']
  try {
    return make()
  } finally {
    process.env['OPENAI_CUSTOM_HEADERS'] = headers
  }
}

function requireKey(given: string | undefined, asker: Asker): string {
  const key = given ?? keyWithout(asker)
  if (!key && asker.isForeign) {
    const message = `There is no key for the server at baseURL; give ${asker.factory}({ apiKey }).`
    throw unconfigured(message, 'apiKey', asker)
  }
  if (!key) {
    const message = `There is no key for OpenAI; set OPENAI_API_KEY, or give ${asker.factory}({ apiKey }).`
    throw unconfigured(message, 'OPENAI_API_KEY', asker)
  }
  if (/^[\x21-\x7e]+$/.test(key)) return key
  const setting = given === undefined ? 'OPENAI_API_KEY' : 'apiKey'
  const message = `The key holds a space, a line end or a character that no key has; copy ${setting} anew.`
  throw unconfigured(message, setting, asker)
}

/** The key where none is given. The SDK wants one, also where the server does not. */
function keyWithout({ isForeign, needsKey }: Asker): string | undefined {
  if (!isForeign) return process.env['OPENAI_API_KEY']
  return needsKey ? undefined : 'none'
}

function requireUrl(given: string | undefined, asker: Asker): string | null {
  const url = given ?? (asker.isForeign ? undefined : process.env['OPENAI_BASE_URL'])
  if (!url) return null
  if (/^https?:/.test(url) && URL.canParse(url)) return url
  const setting = given === undefined ? 'OPENAI_BASE_URL' : 'baseURL'
  throw unconfigured(`The base URL is no http or https URL; put ${setting} right.`, setting, asker)
}

function requireCount(maxRetries: number, asker: Asker): number {
  if (Number.isInteger(maxRetries) && maxRetries >= 0) return maxRetries
  throw unconfigured('The option maxRetries must be a whole number, 0 or above.', 'maxRetries', asker)
}

function unconfigured(message: string, setting: string, asker: Asker): OrraError<'provider.unconfigured'> {
  return new OrraError('provider.unconfigured', message, { details: { provider: asker.provider, setting } })
}
