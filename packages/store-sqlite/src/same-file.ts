import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { unusable } from './sqlite-error.ts'

const LOOK_AGAIN_AFTER_MS = 1000

/**
 * A check that the path still leads to the file that is open, made at most once a second: what is written to a file that
 * was removed is lost, and in the one that took its place somebody else may hold the same lease. Throws `store.unusable`.
 */
export function sameFile(db: DatabaseSync, path: string): () => void {
  const location = db.location()
  if (location === null) return () => {}
  const opened = identityOf(location)
  let lookAt = 0
  return () => {
    if (performance.now() < lookAt) return
    if (identityOf(location) !== opened) {
      throw unusable(
        path,
        'its file was removed, moved or replaced while it was open; close this store and open it again',
      )
    }
    lookAt = performance.now() + LOOK_AGAIN_AFTER_MS
  }
}

/** `undefined` when nothing is found there. */
function identityOf(location: string): string | undefined {
  try {
    const { dev, ino } = statSync(location, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
