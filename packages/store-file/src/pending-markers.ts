import { readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ifThere } from './file-error.ts'
import { fileNameOf, isReadableName, textOfNameOrFile } from './file-name.ts'
import { replaceFile, type Writing } from './replace-file.ts'

/**
 * Which sessions may have work: a file for each, made before the append that makes it so and removed after the one that
 * ends it. Whoever finds a file of a session without work may remove it, under the lock of that session.
 */
export interface PendingMarkers {
  set(key: string): void
  remove(key: string): void
  /** The same, where it must not fail what was done already: who lists sessions tries again. */
  removeIfPossible(key: string): void
  /** Keys, in order. */
  all(): readonly string[]
}

export function pendingMarkers(folder: string, writing: Writing): PendingMarkers {
  const pathOf = (key: string) => join(folder, fileNameOf(key))
  const remove = (key: string) => ifThere(() => unlinkSync(pathOf(key)))
  return {
    remove,
    removeIfPossible(key) {
      try {
        remove(key)
      } catch {
        // It stays, and says no more than that there may be work.
      }
    },
    set(key) {
      const path = pathOf(key)
      // What only the file tells must not get lost.
      replaceFile(path, key, { ...writing, durable: writing.durable || !isReadableName(basename(path)) })
    },
    all: () =>
      readdirSync(folder)
        .flatMap((name) => {
          const key = textOfNameOrFile(name, () => ifThere(() => readFileSync(join(folder, name), 'utf8')))
          return key === undefined ? [] : [key]
        })
        .sort(),
  }
}
