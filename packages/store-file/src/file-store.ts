import { join, resolve } from 'node:path'
import { checkOptions, invalidOption, type OptionNames, type Store } from '@orra/core'
import { fileCounters } from './file-counters.ts'
import { toStoreError, unusable } from './file-error.ts'
import { type FileLocks, fileLocks } from './file-locks.ts'
import { fileRecords } from './file-records.ts'
import { fileSessions } from './file-sessions.ts'
import type { Guard } from './guard.ts'
import type { Recovery } from './log-file.ts'
import { namespaceTree } from './namespace-tree.ts'
import { numberFile } from './number-file.ts'
import { pendingMarkers } from './pending-markers.ts'
import type { Writing } from './replace-file.ts'
import { sessionFiles } from './session-files.ts'
import { makeFolders, markSchema, pathsIn, sweep } from './store-folder.ts'

export interface FileStoreOptions {
  /**
   * When what was written is flushed to the disk. `never`: when the system does so; a killed process loses nothing, a loss
   * of power the last moments. `always`: before each call returns, so neither loses anything, at the price of waiting for
   * the disk. @default never
   */
  readonly sync?: 'always' | 'never'
  /** How long to wait for a lock that another process holds, in milliseconds. @default 10000 */
  readonly busyTimeoutMs?: number
  /** Told when a log had to be cut back to its last whole line. Nothing is lost: what was cut off is kept beside it. */
  readonly onRecovered?: (what: Recovery) => void
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

const OPTIONS: OptionNames<FileStoreOptions> = { sync: true, busyTimeoutMs: true, onRecovered: true, now: true }

/**
 * A durable store in a folder of readable files, shared by any number of processes on one machine. The folder should be
 * the store's own; it is made when it is not there.
 *
 * Throws `store.unusable` and `store.newer-schema` at once.
 */
export function fileStore(folder: string, options: FileStoreOptions = {}): Store {
  if (typeof folder !== 'string' || folder === '') throw invalidOption('folder', 'give the path of a folder')
  checkOptions('fileStore', options, OPTIONS)
  const { sync = 'never', busyTimeoutMs = 10_000, onRecovered = () => {}, now = Date.now } = options
  if (sync !== 'always' && sync !== 'never') throw invalidOption('sync', 'give "always" or "never"')
  if (!(busyTimeoutMs >= 0)) throw invalidOption('busyTimeoutMs', 'give milliseconds, 0 or more')
  // The process may go to another folder later.
  const root = resolve(folder)
  const paths = pathsIn(root)
  const { locks, writing, numbers, markers } = opened(root, sync === 'always', busyTimeoutMs)
  const running = new Set<Promise<unknown>>()
  let isClosed = false

  const guarded: Guard = async (signal, work) => {
    signal?.throwIfAborted()
    if (isClosed) throw unusable(root, 'it was closed; open another')
    const call = (async () => work())()
    running.add(call)
    try {
      return await call
    } catch (error) {
      throw toStoreError(error, root)
    } finally {
      running.delete(call)
    }
  }

  const common = { locks, numbers, writing, onRecovered: quietly(onRecovered), now, guarded }
  const tree = namespaceTree(paths.sessions, writing)
  const files = sessionFiles({ ...common, tree, durable: writing.durable })
  return {
    name: 'file',
    sessions: fileSessions({ ...common, tree, files, markers }),
    records: fileRecords({ ...common, tree: namespaceTree(paths.records, writing) }),
    counters: fileCounters({ ...common, path: paths.counters }),
    async [Symbol.asyncDispose]() {
      isClosed = true
      await Promise.allSettled(running)
      locks.signOut()
    },
  }
}

function opened(root: string, durable: boolean, busyTimeoutMs: number) {
  try {
    makeFolders(root)
    const paths = pathsIn(root)
    const locks: FileLocks = fileLocks(paths.locks, { busyTimeoutMs })
    let passed = 0
    const passing = () => join(paths.passing, `${locks.signIn()}-${++passed}`)
    const writing: Writing = { durable, passing }
    markSchema(root, writing)
    sweep(root)
    return {
      locks,
      writing,
      numbers: numberFile(root, locks, writing),
      markers: pendingMarkers(paths.pending, writing),
    }
  } catch (error) {
    throw toStoreError(error, root)
  }
}

/** The fault of one who is told is its own. */
function quietly<T>(listener: (what: T) => void): (what: T) => void {
  return (what) => {
    try {
      listener(what)
    } catch {
      // The log is mended all the same.
    }
  }
}
