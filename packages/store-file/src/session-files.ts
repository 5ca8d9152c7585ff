import { join } from 'node:path'
import type { Namespace } from '@orra/core'
import { unusable } from './file-error.ts'
import type { FileLocks } from './file-locks.ts'
import { shortHash } from './file-name.ts'
import type { Recovery } from './log-file.ts'
import type { NamespaceTree } from './namespace-tree.ts'
import { retryWhenMoved } from './retry-when-moved.ts'
import { LOG_FILE, SESSION_FOLDER, type SessionFile, sessionFile } from './session-file.ts'

/** What is known of this many sessions is kept, those that were used last. */
const SESSIONS_KEPT = 256

/** The session files of a store, those in use kept in memory. */
export interface SessionFiles {
  folderOf(namespace: Namespace): string
  isKept(namespace: Namespace): boolean
  /** Runs `work` on a session as it is, without its lock unless the end of its log must be mended. */
  look<T>(namespace: Namespace, work: (file: SessionFile, fd: number | undefined) => T): Promise<T>
  /** Runs `work` under the lock of the session; again when the session's folder was removed meanwhile. */
  hold<T>(namespace: Namespace, work: (file: SessionFile) => T | Promise<T>): Promise<T>
}

export interface SessionFilesOptions {
  readonly tree: NamespaceTree
  readonly locks: FileLocks
  readonly durable: boolean
  readonly onRecovered: (what: Recovery) => void
}

export function sessionFiles({ tree, locks, durable, onRecovered }: SessionFilesOptions): SessionFiles {
  const kept = new Map<string, SessionFile>()
  const folderOf = (namespace: Namespace) => join(tree.folderOf(namespace), SESSION_FOLDER)

  function fileOf(namespace: Namespace): SessionFile {
    const { key } = namespace
    const file = kept.get(key) ?? open(namespace)
    // The one that was used last stands last.
    kept.delete(key)
    kept.set(key, file)
    const [oldest] = kept.keys()
    if (kept.size > SESSIONS_KEPT && oldest !== undefined) kept.delete(oldest)
    return file
  }

  function open(namespace: Namespace): SessionFile {
    const folder = folderOf(namespace)
    return sessionFile({
      path: join(folder, LOG_FILE),
      durable,
      makeFolder: () => tree.makeFolder(namespace, folder),
      onRecovered: (what) => onRecovered({ namespace: namespace.key, ...what }),
    })
  }

  const hold = <T>(namespace: Namespace, work: (file: SessionFile) => T | Promise<T>) =>
    locks.hold(`session-${shortHash(namespace.key)}`, () => retryWhenMoved(() => work(fileOf(namespace))))

  return {
    folderOf,
    isKept: ({ key }) => kept.has(key),
    hold,

    async look(namespace, work) {
      const file = fileOf(namespace)
      const seen = file.log.look((fd) => work(file, fd))
      if (seen) return seen.result
      return hold(namespace, (file) => {
        file.log.change(() => {})
        const mended = file.log.look((fd) => work(file, fd))
        if (mended) return mended.result
        throw unusable(folderOf(namespace), 'something else than this store writes into it')
      })
    },
  }
}
