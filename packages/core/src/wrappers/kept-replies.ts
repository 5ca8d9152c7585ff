import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { recentlyUsed } from '../gate/recently-used.ts'

/** Texts by key. What cannot be read is not there. */
export interface KeptReplies {
  get(key: string): Promise<string | undefined>
  set(key: string, text: string): Promise<void>
}

/** So many are kept in memory at most. */
const MOST_KEPT = 1000

export function memoryReplies(): KeptReplies {
  const kept = recentlyUsed<string>(MOST_KEPT)
  return {
    get: async (key) => kept.get(key),
    set: async (key, text) => kept.set(key, text),
  }
}

/** A file for each, in a folder that is made with the first one. Whoever reads sees a whole file, and nobody else's user does. */
export function fileReplies(folder: string): KeptReplies {
  const pathOf = (key: string) => join(folder, `${key}.json`)
  return {
    get: (key) => readFile(pathOf(key), 'utf8').catch(() => undefined),

    async set(key, text) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const draft = join(folder, `${key}.${randomUUID()}.tmp`)
      try {
        await writeFile(draft, text, { mode: 0o600 })
        await rename(draft, pathOf(key))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
  }
}
