import { OrraError } from '../errors.ts'
import { type JsonValue, toJson } from '../json.ts'
import type { Claim } from './counters.ts'
import type { RecordKey } from './records.ts'

const COLLECTION = /^[\w.-]{1,64}$/

/** Throws `store.invalid` for a key that `Records` does not take. Every store asks it first. */
export function checkRecordKey({ collection, id }: RecordKey): void {
  if (typeof collection !== 'string' || !COLLECTION.test(collection)) {
    throw invalid('the name of a collection is 1 to 64 letters, digits, "_", "-" and "."')
  }
  checkName('the id of a record', id, 256)
}

/** Throws `store.conflict` unless a record is at the version that a write asks for; `found` is that of the record, if there is one. */
export function checkVersion({ namespace }: RecordKey, wanted: number | undefined, found = 0): void {
  if (wanted === undefined || wanted === found) return
  const message = 'This record has changed since it was read; nothing was written. Read it again, then decide anew.'
  throw new OrraError('store.conflict', message, { details: { namespace: namespace.key } })
}

/** Throws `store.invalid` for claims that `Counters` does not take. Every store asks it first. */
export function checkClaims(claims: readonly Claim[]): void {
  if (claims.length === 0) throw invalid('there is no claim')
  for (const { counter, window, amount, limit, endsAt } of claims) {
    checkName('the name of a counter', counter, 256)
    checkName('the name of a window', window, 64)
    checkAmount(amount)
    if (limit !== undefined) checkAmount(limit)
    if (endsAt !== undefined) checkAmount(endsAt)
  }
  const longest = claims.reduce((a, b) => (b.namespace.key.length > a.namespace.key.length ? b : a))
  if (!claims.every(({ namespace }) => namespace.contains(longest.namespace))) {
    throw invalid('the claims of one reservation are of one namespace and its ancestors')
  }
}

/** Throws `store.invalid` for what is no amount: a whole number, 0 or more. */
export function checkAmount(amount: number): void {
  if (!(Number.isSafeInteger(amount) && amount >= 0)) throw invalid('an amount is a whole number, 0 or more')
}

function checkName(what: string, name: unknown, longest: number): void {
  if (!isName(name, longest)) throw invalid(`${what} is 1 to ${longest} characters without NUL`)
}

function isName(value: unknown, longest: number): value is string {
  if (typeof value !== 'string' || value === '' || value.length > longest) return false
  return value.isWellFormed() && !value.includes('\0')
}

/** Whether it can be the key of an input: 1 to 256 characters without NUL. */
export function isKey(value: unknown): value is string {
  return isName(value, 256)
}

/** The value as it is kept, sharing nothing with the one given. Throws `store.invalid` for what JSON cannot hold. */
export function recordValue(value: JsonValue): JsonValue {
  try {
    return toJson(value)
  } catch {
    throw invalid('the value of a record is JSON, and not nested too deeply')
  }
}

function invalid(problem: string): OrraError<'store.invalid'> {
  return new OrraError('store.invalid', `The store does not take this: ${problem}.`, { details: { problem } })
}
