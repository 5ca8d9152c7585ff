import { APIError } from 'openai'
import { type Fields, fieldsOf, stringOf } from '../loose-json.ts'

/** The error that a server puts where its reply should be; `undefined` where there is none. */
export function serverError(body: Fields, headers: Headers): APIError | undefined {
  const { error, object } = body
  if (object === 'error') return toApiError(body, headers)
  return error ? toApiError(error, headers) : undefined
}

/** What a server calls an error, in the SDK's terms. */
export function toApiError(error: unknown, headers: Headers): APIError {
  const words = stringOf(error) || stringOf(fieldsOf(error)['message'])
  return new APIError(undefined, typeof error === 'object' && error !== null ? error : {}, words, headers)
}
