import { APIConnectionError, APIError } from '@anthropic-ai/sdk'
import { isOrraError, OrraError, type ProviderFailure } from '@orra/core'
import { retryAfterMs } from './retry-only-soon.ts'

/** What can be wrong, and what to do. */
const KINDS = {
  auth: ['provider.auth', 'Anthropic refuses the key, or the key may not use this model; check ANTHROPIC_API_KEY.'],
  billing: ['provider.auth', 'Anthropic refuses the call because of the account’s billing; see its console.'],
  limit: ['provider.rate-limited', 'Anthropic’s rate limit is reached; wait and try again.'],
  long: ['provider.context-too-long', 'The conversation is longer than the model’s context window; send less.'],
  model: [
    'provider.unknown-model',
    'Anthropic does not know this model, or nothing is at this base URL; check both (baseURL or ANTHROPIC_BASE_URL).',
  ],
  slow: ['provider.connection', 'Anthropic took too long to answer; try again.'],
  nobody: [
    'provider.connection',
    'Nothing answers at the base URL; is baseURL or ANTHROPIC_BASE_URL right, and the network there?',
  ],
  certificate: [
    'provider.connection',
    'The certificate at the base URL is not trusted; name its authority in NODE_EXTRA_CA_CERTS, or check baseURL or ANTHROPIC_BASE_URL.',
  ],
  lost: ['provider.connection', 'The connection to Anthropic could not be made or broke; try again.'],
  down: ['provider.unavailable', 'Anthropic is overloaded or has an internal error; try again.'],
  bad: ['provider.bad-request', 'Anthropic calls the request malformed; see the cause.'],
  reply: ['provider.bad-reply', 'Anthropic’s reply is not JSON; is baseURL or ANTHROPIC_BASE_URL right?'],
} as const

type Kind = keyof typeof KINDS

/** What an error's own type means; it comes with every reply, also in the middle of a stream, where there is no status. */
const BY_TYPE: { readonly [type: string]: Kind } = {
  authentication_error: 'auth',
  permission_error: 'auth',
  billing_error: 'billing',
  not_found_error: 'model',
  request_too_large: 'long',
  rate_limit_error: 'limit',
  timeout_error: 'slow',
  api_error: 'down',
  overloaded_error: 'down',
  invalid_request_error: 'bad',
}

/** Where there is no type, as from a proxy. */
const BY_STATUS: { readonly [status: number]: Kind } = {
  401: 'auth',
  402: 'billing',
  403: 'auth',
  404: 'model',
  408: 'slow',
  301: 'model',
  302: 'model',
  307: 'model',
  308: 'model',
  409: 'down',
  413: 'long',
  429: 'limit',
  504: 'slow',
}

/** The API has no type for it: its own two sentences, and that of Amazon Bedrock. */
const TOO_LONG = /(?:prompt|input) is too long|exceeds? (?:the )?context (?:limit|window)/i

/** What the SDK throws, as one of orra's `provider.` errors. The original is the cause; its text may hold content. */
export function toProviderError(cause: unknown): OrraError {
  if (isOrraError(cause)) return cause
  const kind = kindOf(cause)
  const [code, message] = KINDS[kind]
  const options = { details: detailsOf(cause), cause }
  return new OrraError(code, message, kind === 'certificate' ? { ...options, retryable: false } : options)
}

function kindOf(error: unknown): Kind {
  if (error instanceof SyntaxError) return 'reply'
  // A connection that breaks in the middle of a stream surfaces as whatever `fetch` threw.
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return connectionKind(error)
  const { status, type, message } = error
  if (status === 413) return 'long'
  const kind = BY_TYPE[type ?? ''] ?? BY_STATUS[status ?? 0] ?? (status === undefined || status >= 500 ? 'down' : 'bad')
  return kind === 'bad' && TOO_LONG.test(message) ? 'long' : kind
}

const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'])
const CERTIFICATE = /CERT|ERR_TLS|ERR_SSL|UNABLE_TO_/

function connectionKind(error: unknown): Kind {
  const codes = codesIn(error)
  if (codes.some((code) => CERTIFICATE.test(code))) return 'certificate'
  return codes.some((code) => NOBODY.has(code)) ? 'nobody' : 'lost'
}

/** The codes of an error and of what caused it. */
function codesIn(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  const inner = [cause, ...(Array.isArray(errors) ? errors : [])].flatMap((one) => codesIn(one, depth + 1))
  return typeof code === 'string' ? [code, ...inner] : inner
}

function detailsOf(error: unknown): ProviderFailure & { readonly retryAfterMs?: number } {
  if (!(error instanceof APIError)) return { provider: 'anthropic' }
  const { status, requestID, headers } = error
  const waitMs = retryAfterMs(headers)
  return {
    provider: 'anthropic',
    ...(status === undefined ? {} : { status }),
    ...(requestID ? { requestId: requestID } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  }
}
