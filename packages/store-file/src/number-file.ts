import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { unusable } from './file-error.ts'
import type { FileLocks } from './file-locks.ts'
import { makeFile, type Writing } from './replace-file.ts'

/** The number that was drawn last, by which epochs and versions of records are never used twice. */
export interface NumberFile {
  /** A number above every earlier one, and above `least`. */
  next(least: number): Promise<number>
}

const DIGITS = 16

/** The number has a fixed width and is written over: a process that dies has written it or not. */
export function numberFile(folder: string, locks: FileLocks, writing: Writing): NumberFile {
  const path = join(folder, 'last-number')
  makeFile(path, digitsOf(0), writing)
  return {
    next: (least) =>
      locks.hold('last-number', () => {
        const fd = openSync(path, 'r+')
        try {
          const buffer = Buffer.alloc(DIGITS)
          readSync(fd, buffer, 0, DIGITS, 0)
          const last = Number.parseInt(buffer.toString('latin1'), 10)
          if (!Number.isSafeInteger(last)) {
            throw unusable(folder, 'its file last-number is damaged; write a higher number than any before into it')
          }
          const next = Math.max(last, least) + 1
          writeSync(fd, digitsOf(next), 0)
          if (writing.durable) fdatasyncSync(fd)
          return next
        } finally {
          closeSync(fd)
        }
      }),
  }
}

function digitsOf(number: number): string {
  return `${number}`.padStart(DIGITS, '0')
}
