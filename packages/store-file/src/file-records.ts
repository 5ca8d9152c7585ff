import { unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  checkRecordKey,
  checkVersion,
  type Namespace,
  type RecordKey,
  type RecordScope,
  rankByWords,
  recordValue,
  type SearchableRecords,
  type StoredRecord,
} from '@orra/core'
import type { FileLocks } from './file-locks.ts'
import { shortHash } from './file-name.ts'
import type { Guard } from './guard.ts'
import type { NamespaceTree } from './namespace-tree.ts'
import type { NumberFile } from './number-file.ts'
import { pageOf } from './page-of.ts'
import { isRecordFile, placeOf, readRecord, recordFilesIn, recordPath } from './record-files.ts'
import { flushFolder, replaceFile, type Writing } from './replace-file.ts'
import { retryWhenMoved } from './retry-when-moved.ts'

export interface FileRecordsOptions {
  readonly tree: NamespaceTree
  readonly locks: FileLocks
  readonly numbers: NumberFile
  readonly writing: Writing
  readonly now: () => number
  readonly guarded: Guard
}

/** The folder of a namespace's records, in that of the namespace: a folder for each collection, a file for each record. */
const RECORDS_FOLDER = '@records'
/** So many records are read before others get their turn. */
const RECORDS_AT_ONCE = 64

export function fileRecords({ tree, locks, numbers, writing, now, guarded }: FileRecordsOptions): SearchableRecords {
  const folderOf = (namespace: Namespace) => join(tree.folderOf(namespace), RECORDS_FOLDER)
  const pathOf = ({ namespace, collection, id }: RecordKey) => recordPath(folderOf(namespace), collection, id)

  /** Runs `work` under the lock of a record; again when its folder was removed meanwhile. */
  const hold = <T>(key: RecordKey, work: (path: string) => T | Promise<T>): Promise<T> =>
    locks.hold(`record-${shortHash(placeOf({ ...key, namespace: key.namespace.key }))}`, () =>
      retryWhenMoved(() => work(pathOf(key))),
    )

  async function* inOrder(scope: RecordScope, after = ''): AsyncGenerator<StoredRecord, void> {
    let seen = 0
    for await (const { key, folder } of foldersIn(scope, after.split('\0')[0])) {
      for (const { place, path } of recordFilesIn(join(folder, RECORDS_FOLDER), key, scope.collection)) {
        seen += 1
        if (seen % RECORDS_AT_ONCE === 0) await setImmediate()
        const record = place > after ? readRecord(path) : undefined
        if (record) yield record
      }
    }
  }

  async function* foldersIn({ namespace, within }: RecordScope, from: string | undefined) {
    if (!namespace) yield* tree.inOrder({ within, from })
    else if (within?.contains(namespace) ?? true) yield { key: namespace.key, folder: tree.folderOf(namespace) }
  }

  return {
    get(key, { signal } = {}) {
      return guarded(signal, () => {
        checkRecordKey(key)
        return readRecord(pathOf(key))
      })
    },

    put(key, value, { version: wanted, signal } = {}) {
      return guarded(signal, () => {
        checkRecordKey(key)
        const copy = recordValue(value)
        return hold(key, async (path) => {
          const version = await numbers.next(readRecord(path)?.version ?? 0)
          const before = readRecord(path)
          checkVersion(key, wanted, before?.version)
          // Were it made for a record that was there, one that is erased right now would come back.
          if (!before) tree.makeFolder(key.namespace, dirname(path))
          const at = now()
          const { collection, namespace, id } = key
          const place = { collection, namespace: namespace.key, id }
          const kept = { ...place, version, value: copy, createdAt: before?.createdAt ?? at, updatedAt: at }
          replaceFile(path, `${JSON.stringify(kept)}\n`, writing)
          return kept
        })
      })
    },

    delete(key, { version, signal } = {}) {
      return guarded(signal, () => {
        checkRecordKey(key)
        return hold(key, (path) => {
          const record = readRecord(path)
          checkVersion(key, version, record?.version)
          if (!record) return false
          unlinkSync(path)
          if (writing.durable) flushFolder(dirname(path))
          tree.removeEmpty(dirname(path))
          return true
        })
      })
    },

    list({ after, limit = 100, signal, ...scope } = {}) {
      return guarded(signal, () => pageOf(inOrder(scope, after), limit, placeOf))
    },

    erase(namespace, { signal } = {}) {
      return guarded(signal, async () => {
        let count = 0
        await tree.remove(tree.folderOf(namespace), (path) => {
          if (isRecordFile(path)) count += 1
        })
        return count
      })
    },

    search(text, { limit = 10, signal, ...scope } = {}) {
      return guarded(signal, async () => {
        const found: StoredRecord[] = []
        for await (const record of inOrder(scope)) found.push(record)
        return rankByWords(found, text, limit)
      })
    },
  }
}
