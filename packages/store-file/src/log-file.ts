import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { isOrraError } from '@orra/core'
import { ifThere, unusable } from './file-error.ts'
import { encodeLine, type Line, linesOf } from './log-line.ts'
import { flushFolder } from './replace-file.ts'

/** What was done about a log whose end was damaged, as a process leaves it that dies while it writes. */
export interface Recovery {
  /** The key of the session's namespace; absent for the log of all counters. */
  readonly namespace?: string
  /** The log. It now ends with its last whole line. */
  readonly file: string
  /** Where the bytes after that line were put. */
  readonly keptIn: string
  readonly droppedBytes: number
}

/** What a log adds up to. */
export interface Fold {
  /** There is nothing. */
  reset(): void
  /** One line more. `false`, and nothing has changed, when it does not belong here. */
  add(value: unknown, place: Pick<Line, 'offset' | 'end'>): boolean
}

export interface LogFile {
  /**
   * Brings the fold up to date without a lock, then runs `work` on the open file, if there is one. `undefined` when the
   * end is not whole: somebody is writing, or died over it.
   */
  look<T>(work: (fd: number | undefined) => T): { readonly result: T } | undefined
  /**
   * Under the log's lock: brings the fold up to date, mends the end of the file and runs `work`, which may append. What
   * could not be appended as a whole is taken back. Throws `store.unusable` for damage that whole lines follow.
   */
  change<T>(work: (append: (value: object) => void) => T): T
}

export interface LogFileOptions {
  readonly path: string
  readonly fold: Fold
  readonly durable: boolean
  /** Makes the folder of the log. */
  readonly makeFolder: () => void
  readonly onRecovered: (what: Omit<Recovery, 'namespace'>) => void
}

const OPEN_TO_APPEND = constants.O_RDWR | constants.O_APPEND

/** So many bytes before the place that is known must be what they were; it is another file otherwise. */
const MARK_BYTES = 64

/** A log and, in memory, what it adds up to: only what others have written since is read. No file stays open. */
export function logFile({ path, fold, durable, makeFolder, onRecovered }: LogFileOptions): LogFile {
  let known = { end: 0, lines: 0, mark: Buffer.alloc(0) }

  const forget = () => {
    known = { end: 0, lines: 0, mark: Buffer.alloc(0) }
    fold.reset()
  }
  const remember = (fd: number, end: number, lines: number) => {
    const mark = Buffer.alloc(Math.min(MARK_BYTES, end))
    readSync(fd, mark, 0, mark.length, end - mark.length)
    known = { end, lines, mark }
  }
  const isSameFile = (fd: number): boolean => {
    const { end, mark } = known
    const found = Buffer.alloc(mark.length)
    const count = readSync(fd, found, 0, found.length, end - mark.length)
    return count === mark.length && found.equals(mark)
  }

  /** Returns how many bytes after the last whole line are none. */
  function readOn(fd: number): number {
    if (!isSameFile(fd)) forget()
    if (fstatSync(fd).size === known.end) return 0
    let { end, lines } = known
    let isDamaged = false
    try {
      for (const { value, ...place } of linesOf(fd, end)) {
        if (isDamaged && value !== undefined) throw damaged(path, lines + 1)
        if (isDamaged || value === undefined || !fold.add(value, place)) isDamaged = true
        else {
          end = place.end
          lines += 1
        }
      }
      remember(fd, end, lines)
    } catch (error) {
      forget()
      throw error
    }
    return Math.max(0, fstatSync(fd).size - end)
  }

  /** Damage that is seen without the lock may be that of somebody who is mending it. */
  function isWhole(fd: number): boolean {
    try {
      return readOn(fd) === 0
    } catch (error) {
      if (isOrraError(error, 'store.unusable')) return false
      throw error
    }
  }

  function recover(fd: number): void {
    const torn = Buffer.alloc(fstatSync(fd).size - known.end)
    readSync(fd, torn, 0, torn.length, known.end)
    const keptIn = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`
    writeFileSync(keptIn, torn, { flag: 'a', flush: durable })
    ftruncateSync(fd, known.end)
    if (durable) flush(fd)
    onRecovered({ file: path, keptIn, droppedBytes: torn.length })
  }

  function flush(fd: number): void {
    fdatasyncSync(fd)
    if (known.end === 0) flushFolder(dirname(path))
  }

  function write(fd: number, value: object): void {
    const line = encodeLine(value)
    const { end, lines } = known
    try {
      for (let done = 0; done < line.length; ) done += writeSync(fd, line, done)
      if (durable) flush(fd)
    } catch (error) {
      ftruncateSync(fd, end)
      throw error
    }
    fold.add(value, { offset: end, end: end + line.length })
    known = { end: end + line.length, lines: lines + 1, mark: Buffer.from(line.subarray(-MARK_BYTES)) }
  }

  return {
    look(work) {
      const fd = ifThere(() => openSync(path, 'r'))
      if (fd === undefined) {
        forget()
        return { result: work(undefined) }
      }
      try {
        return isWhole(fd) ? { result: work(fd) } : undefined
      } finally {
        closeSync(fd)
      }
    },

    change(work) {
      // Opened for appending, and not made.
      let fd = ifThere(() => openSync(path, OPEN_TO_APPEND))
      try {
        if (fd === undefined) forget()
        else if (readOn(fd) > 0) recover(fd)
        return work((value) => {
          fd ??= makeAndOpen()
          write(fd, value)
        })
      } finally {
        if (fd !== undefined) closeSync(fd)
      }
    },
  }

  function makeAndOpen(): number {
    makeFolder()
    return openSync(path, 'a+')
  }
}

function damaged(path: string, line: number) {
  const problem = `line ${line} of ${basename(path)} is damaged, and whole lines follow it; restore the file from a backup, or cut it off before that line, which loses what follows`
  return unusable(path, problem)
}
