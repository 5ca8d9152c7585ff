import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import type { ResponseError } from 'openai/resources/responses/responses'
import { isTooLong } from './too-long.ts'

/** What a failed call can be due to. */
export type FailureKind =
  | 'auth'
  | 'billing'
  | 'limit'
  | 'long'
  | 'model'
  /** A web page, or an address that sends elsewhere, where an API should be. */
  | 'page'
  /** A reply that is no JSON. */
  | 'reply'
  | 'slow'
  /** A proxy that does not reach the server behind it. */
  | 'gateway'
  /** No server at the address. */
  | 'nobody'
  | 'certificate'
  | 'lost'
  | 'down'
  | 'bad'

/** All that the Responses API says of a reply that failed. */
const BY_REPLY: { readonly [code in ResponseError['code']]: FailureKind } = {
  server_error: 'down',
  rate_limit_exceeded: 'limit',
  vector_store_timeout: 'slow',
  invalid_prompt: 'bad',
  data_residency_mismatch: 'bad',
  bio_policy: 'bad',
  misalignment_policy_violation: 'bad',
  invalid_image: 'bad',
  invalid_image_format: 'bad',
  invalid_base64_image: 'bad',
  invalid_image_url: 'bad',
  image_too_large: 'bad',
  image_too_small: 'bad',
  image_parse_error: 'bad',
  image_content_policy_violation: 'bad',
  invalid_image_mode: 'bad',
  image_file_too_large: 'bad',
  unsupported_image_media_type: 'bad',
  empty_image_file: 'bad',
  failed_to_download_image: 'bad',
  image_file_not_found: 'bad',
}

/** What an error's own code or type means; it comes also in the middle of a stream, where there is no status. */
const BY_CODE: { readonly [code: string]: FailureKind } = {
  ...BY_REPLY,
  invalid_api_key: 'auth',
  authentication_error: 'auth',
  permission_error: 'auth',
  insufficient_quota: 'billing',
  billing_hard_limit_reached: 'billing',
  billing_not_active: 'billing',
  access_terminated: 'billing',
  model_not_found: 'model',
  unsupported_model: 'model',
  DeploymentNotFound: 'model',
  context_length_exceeded: 'long',
  exceed_context_size_error: 'long',
  rate_limit_error: 'limit',
  internal_server_error: 'down',
  internal_error: 'down',
  api_error: 'down',
  overloaded_error: 'down',
  service_unavailable: 'down',
  timeout: 'slow',
}

const BY_STATUS: { readonly [status: number]: FailureKind } = {
  401: 'auth',
  402: 'billing',
  403: 'auth',
  404: 'model',
  405: 'model',
  408: 'slow',
  409: 'down',
  413: 'long',
  425: 'down',
  429: 'limit',
  504: 'slow',
}

/** An item of a conversation that the server no longer has; it too is said with a 404. */
const ITEM_GONE = /\bitem\b.{0,200}\bnot found/is
const MODEL_UNKNOWN = /\bmodel\b.{0,200}\b(?:not found|does not exist|is not a valid model)|is not a valid model/is
const OUT_OF_MONEY = /exceeded your current quota|insufficient (?:balance|credits|quota|funds)/i

const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ERR_INVALID_URL'])
const CERTIFICATE = /CERT|ERR_TLS|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|ERR_SSL|WRONG_VERSION_NUMBER/

/** Sorts what the SDK throws. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof SyntaxError) return 'reply'
  if (error instanceof APIConnectionTimeoutError) return 'slow'
  if (error instanceof APIConnectionError || !(error instanceof APIError)) return connectionKind(error)
  return sentKind(error)
}

/** What a server said. */
function sentKind({ status: given, code, type, message, headers }: APIError): FailureKind {
  const status = given ?? statusIn(code)
  if (status !== undefined && status >= 300 && status < 400) return 'page'
  if (isPage(headers, message)) return pageKind(status)
  const told = byCode(code) ?? byCode(type)
  if (told === 'billing' || OUT_OF_MONEY.test(message)) return 'billing'
  if (told === 'auth' || told === 'long' || told === 'bad') return told
  if (isTooLong(message)) return 'long'
  // Some servers say of everything that it is an error of theirs; the status knows better.
  if (told !== undefined && !(told === 'down' && BY_STATUS[status ?? 0])) return told
  if (status === 404 && ITEM_GONE.test(message)) return 'bad'
  const kind = BY_STATUS[status ?? 0] ?? byRange(status, code ?? type)
  return kind === 'bad' && MODEL_UNKNOWN.test(message) ? 'model' : kind
}

function byCode(code: unknown): FailureKind | undefined {
  return typeof code === 'string' && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined
}

function byRange(status: number | undefined, told: unknown): FailureKind {
  // The event that tells a failure is itself of the type `error`.
  if (status === undefined) return told && told !== 'error' ? 'bad' : 'down'
  return status >= 500 ? 'down' : 'bad'
}

/** Some servers put the status where a code should be. */
function statusIn(code: unknown): number | undefined {
  const number = Number(code ?? Number.NaN)
  return Number.isInteger(number) && number >= 400 && number <= 599 ? number : undefined
}

function isPage(headers: Headers | undefined, message: string): boolean {
  return /html/i.test(headers?.get('content-type') ?? '') || /^\d{3} \s*<(?:!doctype|html)/i.test(message)
}

function pageKind(status = 500): FailureKind {
  if (status === 401 || status === 407) return 'auth'
  if (status === 413) return 'long'
  if (status === 429) return 'limit'
  if (status === 408) return 'slow'
  return status >= 500 ? 'gateway' : 'page'
}

/** A connection that breaks in the middle of a stream surfaces as whatever `fetch` threw. */
function connectionKind(error: unknown): FailureKind {
  const codes = codesIn(error)
  if (codes.some((code) => CERTIFICATE.test(code))) return 'certificate'
  if (codes.some((code) => NOBODY.has(code))) return 'nobody'
  return 'lost'
}

/** The codes of an error and of what caused it. */
function codesIn(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  const inner = [cause, ...(Array.isArray(errors) ? errors : [])].flatMap((one) => codesIn(one, depth + 1))
  return typeof code === 'string' ? [code, ...inner] : inner
}
