import { isOrraError, OrraError } from '@orra/core'

/** SQLite's primary result codes that a user can do something about. */
const PROBLEMS: { readonly [errcode: number]: string } = {
  5: 'another process kept it locked for too long; try again',
  8: 'it cannot be written; give this process the right to write the file and its folder',
  10: 'the disk failed to read or write it',
  11: 'it is damaged; restore it from a backup',
  13: 'the disk is full; free some space',
  14: 'it cannot be opened; its folder must exist and this process must have the right to write in it',
  26: 'the file is not a SQLite database; give another path',
}

/** Puts what SQLite throws into orra's words. */
export function toStoreError(error: unknown, path: string): unknown {
  if (isOrraError(error) || !(error instanceof Error) || !('errcode' in error)) return error
  // The low byte is the primary code; the rest says more precisely where it failed.
  const problem = PROBLEMS[Number(error.errcode) & 0xff] ?? `SQLite says "${error.message}"`
  return new OrraError('store.unusable', `The SQLite store ${path} cannot be used: ${problem}.`, {
    details: { store: 'sqlite', problem },
    cause: error,
  })
}
