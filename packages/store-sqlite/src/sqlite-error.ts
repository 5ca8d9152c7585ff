import { isOrraError, OrraError } from '@orra/core'

const BUSY = 5

/** SQLite's primary result codes that a user can do something about. */
const PROBLEMS: { readonly [errcode: number]: string } = {
  [BUSY]: 'another process kept it locked for too long; try again',
  8: 'it cannot be written; give this process the right to write the file and its folder',
  10: 'the disk failed to read or write it',
  11: 'it is damaged; restore it from a backup',
  13: 'the disk is full; free some space',
  14: 'it cannot be opened; it must be a file, in a folder that is there and that this process may write in',
  26: 'the file is not a SQLite database; give another path',
}

/** Puts what SQLite throws into orra's words. */
export function toStoreError(error: unknown, path: string): unknown {
  const problem = isOrraError(error) ? undefined : problemOf(error)
  if (problem === undefined) return error
  return unusable(path, problem, { cause: error, retryable: isBusy(error) })
}

export function unusable(
  path: string,
  problem: string,
  options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
): OrraError<'store.unusable'> {
  const message = `The SQLite store ${path} cannot be used: ${problem}.`
  return new OrraError('store.unusable', message, { details: { store: 'sqlite', problem }, ...options })
}

/** Another process is in the way, as a rule for a moment. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY
}

function problemOf(error: unknown): string | undefined {
  const code = primaryCode(error)
  if (code !== undefined) return PROBLEMS[code] ?? `SQLite says "${(error as Error).message}"`
  return (error as { code?: unknown } | undefined)?.code === 'ERR_INVALID_STATE'
    ? 'it was closed; open another'
    : undefined
}

/** The low byte of SQLite's result code; the rest says more precisely where it failed. */
function primaryCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { readonly errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}
