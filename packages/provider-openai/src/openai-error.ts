import { isOrraError, OrraError, type ProviderFailure } from '@orra/core'
import { APIError } from 'openai'
import { type FailureKind, failureKind } from './failure-kind.ts'
import type { Asker } from './openai-client.ts'
import { retryAfterMs } from './retry-only-soon.ts'

/** What messages call things by. */
interface Names {
  readonly who: string
  /** Where the key comes from. */
  readonly key: string
  /** Where the base URL comes from. */
  readonly url: string
}

/** What can be wrong, and what to do. */
const FAILURES = {
  auth: ['provider.auth', ({ who, key }) => `${who} refuses the key, or the key may not use this model; check ${key}.`],
  billing: [
    'provider.auth',
    ({ who }) => `${who} refuses the call because of the account’s billing or quota; see its console.`,
  ],
  limit: ['provider.rate-limited', ({ who }) => `The rate limit of ${who} is reached; wait and try again.`],
  long: ['provider.context-too-long', () => 'The conversation is longer than the model’s context window; send less.'],
  model: [
    'provider.unknown-model',
    ({ who, url }) => `${who} does not know this model, or nothing is at this base URL; check both (${url}).`,
  ],
  page: [
    'provider.bad-reply',
    ({ url }) => `What answers at the base URL is a web page or sends elsewhere, and no API; check ${url}.`,
  ],
  reply: ['provider.bad-reply', ({ who, url }) => `What ${who} replied is not JSON; is ${url} right?`],
  slow: ['provider.connection', ({ who }) => `${who} took too long to answer; try again.`],
  gateway: [
    'provider.connection',
    ({ who, url }) => `A proxy answers that it does not reach ${who}; try again, or check ${url}.`,
  ],
  nobody: [
    'provider.connection',
    ({ url }) => `Nothing answers at the base URL; is the server running, and ${url} right?`,
  ],
  certificate: [
    'provider.connection',
    ({ url }) =>
      `The certificate at the base URL is not trusted; name its authority in NODE_EXTRA_CA_CERTS, or check ${url}.`,
  ],
  lost: ['provider.connection', ({ who }) => `The connection to ${who} could not be made or broke; try again.`],
  down: ['provider.unavailable', ({ who }) => `${who} is overloaded or has an internal error; try again.`],
  bad: ['provider.bad-request', ({ who }) => `${who} calls the request malformed; see the cause.`],
} as const satisfies { readonly [kind in FailureKind]: readonly [string, (names: Names) => string] }

/** What the SDK throws, as one of orra's `provider.` errors. The original is the cause; its text may hold content. */
export function toProviderError(cause: unknown, asker: Asker): OrraError {
  if (isOrraError(cause)) return cause
  const kind = failureKind(cause)
  const [code, tell] = FAILURES[kind]
  const options = { details: detailsOf(cause, asker), cause }
  return new OrraError(
    code,
    sentence(tell(namesFor(asker))),
    kind === 'certificate' ? { ...options, retryable: false } : options,
  )
}

function namesFor({ isForeign }: Asker): Names {
  if (isForeign) return { who: 'the server', key: 'apiKey', url: 'baseURL' }
  return { who: 'OpenAI', key: 'OPENAI_API_KEY', url: 'baseURL or OPENAI_BASE_URL' }
}

function detailsOf(error: unknown, { provider }: Asker): ProviderFailure & { readonly retryAfterMs?: number } {
  if (!(error instanceof APIError)) return { provider }
  const { status, requestID, headers } = error
  const waitMs = retryAfterMs(headers)
  return {
    provider,
    ...(status === undefined ? {} : { status }),
    ...(requestID ? { requestId: requestID } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
