import { isOrraError, OrraError } from '@orra/core'

/** The system's error codes that a user can do something about. */
const PROBLEMS: { readonly [code: string]: string } = {
  EACCES: 'this process may not read or write it; give it the right to',
  EPERM: 'this process may not read or write it, or its file system has no hard links',
  EROFS: 'it is on a file system that can only be read',
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EFBIG: 'a file would grow beyond what the system allows',
  EIO: 'the disk failed to read or write it',
  ENOTDIR: 'a file stands where a folder must be; give the path of a folder',
  EEXIST: 'a file stands where a folder must be; give the path of a folder',
  EISDIR: 'a folder stands where a file must be',
  ENOENT: 'a part of it was moved or removed while it was in use',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENAMETOOLONG: 'a path in it would be longer than the system allows; use a shorter path or shorter namespaces',
  ENOTSUP: 'its file system has no hard links',
  EOPNOTSUPP: 'its file system has no hard links',
}

/** Puts what the file system throws into orra's words. */
export function toStoreError(error: unknown, folder: string): unknown {
  const code = systemCode(error)
  if (code === undefined || isOrraError(error)) return error
  return unusable(folder, PROBLEMS[code] ?? `the system says ${code}`, error)
}

export function unusable(folder: string, problem: string, cause?: unknown): OrraError<'store.unusable'> {
  const message = `The file store ${folder} cannot be used: ${problem}.`
  return new OrraError('store.unusable', message, { details: { store: 'file', problem }, cause })
}

/** The code of an error of the file system, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown }
  return typeof code === 'string' && typeof syscall === 'string' ? code : undefined
}

/** What `work` returns; `undefined` where the file or folder is not there. */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
