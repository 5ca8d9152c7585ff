import { AnthropicError, APIConnectionError, APIError } from '@anthropic-ai/sdk'
import { isOrraError, OrraError, type ProviderFailure } from '@orra/core'

/** What the SDK throws, as one of orra's `provider.` errors. The original is the cause; its text may hold content. */
export function toProviderError(error: unknown): OrraError {
  if (isOrraError(error)) return error
  // A connection that breaks in the middle of a stream surfaces as the first or as the last of these.
  if (error instanceof APIConnectionError || !(error instanceof APIError)) return notApi(error)

  const { status, type } = error
  const details = detailsOf(error)
  if (status === 401 || status === 403 || type === 'authentication_error' || type === 'permission_error') {
    const message = 'Anthropic refuses the key, or the key may not use this model; check ANTHROPIC_API_KEY.'
    return new OrraError('provider.auth', message, { details, cause: error })
  }
  if (status === 402 || type === 'billing_error') {
    const message = 'Anthropic refuses the call because of the account’s billing; see its console.'
    return new OrraError('provider.auth', message, { details, cause: error })
  }
  if (status === 429 || type === 'rate_limit_error') {
    const message = 'Anthropic’s rate limit is reached; wait and try again.'
    return new OrraError('provider.rate-limited', message, {
      details: { ...details, ...retryAfterOf(error) },
      cause: error,
    })
  }
  if (status === 413 || (status === 400 && saysTooLong(error))) {
    const message = 'The conversation is longer than the model’s context window; send less.'
    return new OrraError('provider.context-too-long', message, { details, cause: error })
  }
  if (status === 404 || type === 'not_found_error') {
    const message = 'Anthropic does not know this model, or nothing is at this base URL; check both.'
    return new OrraError('provider.unknown-model', message, { details, cause: error })
  }
  if (status === 408 || status === 504 || type === 'timeout_error') {
    const message = 'Anthropic took too long to answer; try again.'
    return new OrraError('provider.connection', message, { details, cause: error })
  }
  if ((status !== undefined && status >= 500) || type === 'overloaded_error' || type === 'api_error') {
    const message = 'Anthropic is overloaded or has an internal error; try again.'
    return new OrraError('provider.unavailable', message, {
      details: { ...details, ...retryAfterOf(error) },
      cause: error,
    })
  }
  return new OrraError('provider.bad-request', 'Anthropic calls the request malformed; see the cause.', {
    details,
    cause: error,
  })
}

function notApi(error: unknown): OrraError {
  const details = { provider: 'anthropic' }
  if (error instanceof SyntaxError) {
    const message = 'Anthropic’s reply is not JSON; is the base URL that of the Messages API?'
    return new OrraError('provider.bad-reply', message, { details, cause: error })
  }
  if (error instanceof AnthropicError || error instanceof TypeError) {
    const message = 'The connection to Anthropic could not be made or broke; try again.'
    return new OrraError('provider.connection', message, { details, cause: error })
  }
  return new OrraError('unknown', 'Something failed in a call to Anthropic; see the cause.', {
    details: { where: 'provider-anthropic' },
    cause: error,
  })
}

function detailsOf({ status, requestID }: APIError): ProviderFailure {
  return {
    provider: 'anthropic',
    ...(status === undefined ? {} : { status }),
    ...(requestID ? { requestId: requestID } : {}),
  }
}

/** The API has no code for it; these are its two sentences. */
function saysTooLong({ message }: APIError): boolean {
  return /prompt is too long|exceed context limit/i.test(message)
}

/** In seconds or as a date. */
function retryAfterOf({ headers }: APIError): { readonly retryAfterMs?: number } {
  const value = headers?.get('retry-after')
  if (!value) return {}
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, ms) } : {}
}
