import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionHead } from '@orra/core'
import { ifThere } from './file-error.ts'
import { decodeLine } from './log-line.ts'
import { LOG_FILE, type SessionLine } from './session-file.ts'

const NEWLINE = 0x0a
const FIRST_BYTES = 8 * 1024

/**
 * The head of a session by the last line of its log alone, `head` being `undefined` where there is no session. `undefined`
 * where the last line is not whole.
 */
export function headAtEnd(folder: string): { readonly head: SessionHead | undefined } | undefined {
  const fd = ifThere(() => openSync(join(folder, LOG_FILE), 'r'))
  if (fd === undefined) return { head: undefined }
  try {
    const { size } = fstatSync(fd)
    if (size === 0) return { head: undefined }
    const line = lastLine(fd, size)
    const value = line && (decodeLine(line) as SessionLine | undefined)
    return value && { head: value.head }
  } finally {
    closeSync(fd)
  }
}

function lastLine(fd: number, size: number): Buffer | undefined {
  for (let bytes = Math.min(FIRST_BYTES, size); ; bytes = Math.min(8 * bytes, size)) {
    const tail = Buffer.alloc(bytes)
    readSync(fd, tail, 0, bytes, size - bytes)
    if (tail.at(-1) !== NEWLINE) return undefined
    const before = tail.lastIndexOf(NEWLINE, -2)
    if (before >= 0 || bytes === size) return tail.subarray(before + 1, -1)
  }
}
