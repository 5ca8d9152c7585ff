import type { WireFailure, WireReply } from './model-wire.ts'
import { jsonReply } from './wire-parts.ts'

const FAILURES: { readonly [Kind in WireFailure]: readonly [status: number, type: string, code: string | null] } = {
  'bad-request': [400, 'invalid_request_error', null],
  'unknown-key': [401, 'invalid_request_error', 'invalid_api_key'],
  forbidden: [403, 'request_forbidden', 'unsupported_country_region_territory'],
  'unknown-model': [404, 'invalid_request_error', 'model_not_found'],
  'rate-limited': [429, 'requests', 'rate_limit_exceeded'],
  internal: [500, 'server_error', null],
  overloaded: [503, 'server_error', null],
}

/** An error of OpenAI's, whichever of its APIs is called. */
export function openaiFailure(kind: WireFailure, message: string): WireReply {
  const [status, type, code] = FAILURES[kind]
  return openaiError(status, { message, type, param: null, code })
}

export function openaiError(status: number, error: object): WireReply {
  return jsonReply(status, { error })
}
