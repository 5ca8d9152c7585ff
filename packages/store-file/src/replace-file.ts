import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from './file-error.ts'

/** How a store writes. */
export interface Writing {
  /** Every write is flushed to the disk before it counts. */
  readonly durable: boolean
  /** A path for a file or folder that is on its way in or out; what is left there is removed one day. */
  readonly passing: () => string
}

/** Puts `text` in the place of a file, or where there was none: whoever reads sees the old one or the new one, whole. */
export function replaceFile(path: string, text: string | Uint8Array, { durable, passing }: Writing): void {
  const temporary = passing()
  try {
    writeFileSync(temporary, text, { flush: durable })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (durable) flushFolder(dirname(path))
}

/** Makes a file unless it is there. Where several processes do it at once, the first one's stays. */
export function makeFile(path: string, text: string, writing: Writing): void {
  if (existsSync(path)) return
  const draft = writing.passing()
  replaceFile(draft, text, { ...writing, durable: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/** Flushes the names in a folder. Windows, which cannot open folders, does that itself. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
