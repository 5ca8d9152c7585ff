import { readSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/** `,"crc":"01234567"}` */
const SUFFIX_BYTES = 18
const NEWLINE = 0x0a
const FIRST_CHUNK = 4 * 1024
const LARGEST_CHUNK = 4 * 1024 * 1024

export interface Line {
  /** Where it begins, and where the next one does. */
  readonly offset: number
  readonly end: number
  /** `undefined` for a line that is damaged. */
  readonly value: unknown
}

/** An object as one line of JSON, which ends with the CRC-32 of what stands before it. */
export function encodeLine(value: object): Buffer {
  const body = JSON.stringify(value).slice(0, -1)
  return Buffer.from(`${body},"crc":"${checksum(body)}"}\n`)
}

/**
 * The lines of a file from `offset` on, which must be the beginning of one. What stands after the last line break is no
 * line. Reads as it goes, so whoever has enough may leave.
 */
export function* linesOf(fd: number, offset: number): Generator<Line, void> {
  let begin = offset
  let rest: Buffer = Buffer.alloc(0)
  for (let size = FIRST_CHUNK; ; size = Math.min(4 * size, LARGEST_CHUNK)) {
    const chunk = Buffer.allocUnsafe(size)
    const count = readSync(fd, chunk, 0, size, begin + rest.length)
    if (count === 0) return
    const searchedTo = rest.length
    const data = Buffer.concat([rest, chunk.subarray(0, count)])
    let from = 0
    for (let to = data.indexOf(NEWLINE, searchedTo); to >= 0; to = data.indexOf(NEWLINE, from)) {
      yield { offset: begin + from, end: begin + to + 1, value: decodeLine(data.subarray(from, to)) }
      from = to + 1
    }
    rest = data.subarray(from)
    begin += from
  }
}

/** What a line, without its line break, holds; `undefined` when it is damaged. */
export function decodeLine(line: Buffer): unknown {
  const body = line.subarray(0, -SUFFIX_BYTES)
  if (line.subarray(-SUFFIX_BYTES).toString('latin1') !== `,"crc":"${checksum(body)}"}`) return undefined
  try {
    return JSON.parse(line.toString())
  } catch {
    return undefined
  }
}

function checksum(body: string | Buffer): string {
  return crc32(body).toString(16).padStart(8, '0')
}
