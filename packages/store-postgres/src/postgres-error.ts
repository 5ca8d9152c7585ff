import { isOrraError, OrraError } from '@orra/core'

interface Problem {
  readonly problem: string
  readonly retryable: boolean
}

/** What a user can do something about, by SQLSTATE or by its class, and by the codes of Node. */
const PROBLEMS: { readonly [code: string]: string } = {
  '28': 'the server refuses this user or its password; give others',
  '3D': 'there is no such database; create it or give another name',
  '42501': 'this user lacks a right; grant it the use of the schema and of its tables, or CREATE for the first start',
  '42P01': 'a table is gone; start the process again, which makes it anew',
  '25006': 'the server takes no writes; give the address of the primary',
  '22021': 'a text holds a character that the database cannot keep; its encoding must be UTF8',
  '22P05': 'a text holds a character that the database cannot keep; its encoding must be UTF8',
  '26000': 'a pooler or the application takes away what was prepared; open the store with prepare: false',
  '42P05': 'a pooler mixes up what was prepared; open the store with prepare: false',
  ENOTFOUND: 'there is no host of this name; give another',
}

/** Those that pass, so that the same call may succeed later. */
const PASSING: { readonly [code: string]: string } = {
  '08': 'the connection broke; whether a write that was under way was done is not known',
  '40': 'other writers were in the way each time; try again',
  '25P03': 'this process stood still in a transaction, which was undone; try again',
  '55P03': 'another process held a lock for too long; try again',
  '53': 'the server is out of connections, memory or disk; free some, or lower poolSize',
  '57': 'the server stopped the statement or is shutting down; try again',
  ECONNREFUSED: 'nothing listens at this address; start the server or give another',
}

export const CLOSED = 'it was closed; open another'

/** What the driver says when no answer comes in time. */
const SILENCE = 'Query read timeout'

/** Two writers met, and this one was undone altogether. */
const COLLIDED: ReadonlySet<string> = new Set(['40001', '40P01'])

/** Puts what the driver throws into orra's words, of which the password is no part. */
export function toStoreError(error: unknown, target: string): unknown {
  if (isOrraError(error)) return error
  const { problem, retryable } = problemOf(error)
  return unusable(target, problem, { cause: error, retryable })
}

/** The same for what is thrown before anything was sent. */
export function toConnectError(error: unknown, target: string): unknown {
  const { problem, retryable } = unconnected(error as Error) ?? problemOf(error)
  return unusable(target, problem, { cause: error, retryable })
}

export function unusable(
  target: string,
  problem: string,
  options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
): OrraError<'store.unusable'> {
  const message = `The PostgreSQL store at ${target} cannot be used: ${problem}.`
  return new OrraError('store.unusable', message, { details: { store: 'postgres', problem }, ...options })
}

/** The call was undone for the sake of another one and can be made again at once. */
export function hasCollided(error: unknown): boolean {
  return isOrraError(error, 'store.unusable') && COLLIDED.has(codeOf(error.cause) ?? '')
}

/** No answer came in time, and what the connection does is not known. */
export function isSilence(error: unknown): boolean {
  return isOrraError(error, 'store.unusable') && (error.cause as Error | undefined)?.message === SILENCE
}

/** The table is not there, or its schema. */
export function isMissing(error: unknown): boolean {
  return isOrraError(error, 'store.unusable') && codeOf(error.cause) === '42P01'
}

function problemOf(error: unknown): Problem {
  const code = codeOf(error)
  const known = lookUp(PROBLEMS, code)
  if (known !== undefined) return { problem: known, retryable: false }
  const passing = lookUp(PASSING, code)
  if (passing !== undefined) return { problem: passing, retryable: true }
  const { message } = error as Error
  if (message.startsWith('SASL')) return { problem: `${PROBLEMS['28']} ("${message}")`, retryable: false }
  if (message.includes('after calling end on the pool')) return { problem: CLOSED, retryable: false }
  if (message === SILENCE) {
    const problem = 'no answer came within timeoutMs; whether a write that was under way was done is not known'
    return { problem, retryable: true }
  }
  // What PostgreSQL itself says may quote what was to be written; what Node and the driver say does not.
  if (isSqlState(code))
    return { problem: `PostgreSQL refused a statement with code ${code}; see the cause`, retryable: false }
  return { problem: `${PASSING['08']} ("${message}")`, retryable: true }
}

/** `undefined` for what has its own words, wherever it comes from. */
function unconnected(error: Error): Problem | undefined {
  const code = codeOf(error)
  const { message } = error
  if (isSqlState(code) ? !code.startsWith('08') : (lookUp(PROBLEMS, code) ?? lookUp(PASSING, code))) return undefined
  if (message.startsWith('SASL') || message.includes('after calling end on the pool')) return undefined
  if (message === 'The server does not support SSL connections')
    return { problem: 'the server has no TLS; turn it on there, or connect without', retryable: false }
  const problem = message.includes('timeout')
    ? 'no connection was free or could be made within timeoutMs, so nothing was sent; raise poolSize, or see whether the server answers'
    : 'no connection could be made, so nothing was sent; is this a PostgreSQL server?'
  return { problem: `${problem} ("${message}")`, retryable: true }
}

function lookUp(problems: { readonly [code: string]: string }, code: string | undefined): string | undefined {
  if (code === undefined) return undefined
  return problems[code] ?? (isSqlState(code) ? problems[code.slice(0, 2)] : undefined)
}

function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && /^[0-9]|^[FHPX]/.test(code)
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}
