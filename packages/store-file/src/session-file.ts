import type { LoggedEntry, SessionHead } from '@orra/core'
import { type Fold, type LogFile, type LogFileOptions, logFile } from './log-file.ts'
import { linesOf } from './log-line.ts'

/** The folder of a session, in that of its namespace. */
export const SESSION_FOLDER = '@session'
export const LOG_FILE = 'log.jsonl'

/** What one append or claim writes: a line of the log. */
export interface SessionLine {
  /** As it is after the line. */
  readonly head: SessionHead
  readonly entries: readonly LoggedEntry[]
}

/** A session's log, and what can be known of it without reading it anew. */
export interface SessionFile {
  readonly log: LogFile
  readonly head: SessionHead | undefined
  /** The place of the input with this key. */
  seqOfKey(key: string): number | undefined
  /** The entries after a place, from the open log. */
  read(fd: number, after: number, limit: number): readonly LoggedEntry[]
}

/** Reading stops after the line in which this many bytes are reached. */
const PAGE_BYTES = 8 * 1024 * 1024

export function sessionFile(options: Omit<LogFileOptions, 'fold'>): SessionFile {
  let head: SessionHead | undefined
  const keys = new Map<string, number>()
  /** For each line with entries: the first one's place in the log, and in the file. */
  const seqs: number[] = []
  const offsets: number[] = []

  const fold: Fold = {
    reset() {
      head = undefined
      keys.clear()
      seqs.length = 0
      offsets.length = 0
    },
    add(value, { offset }) {
      if (!isNext(value, head)) return false
      head = value.head
      for (const { seq, entry } of value.entries) if (entry.type === 'input') keys.set(entry.key, seq)
      const [first] = value.entries
      if (first) {
        seqs.push(first.seq)
        offsets.push(offset)
      }
      return true
    },
  }

  return {
    log: logFile({ ...options, fold }),
    get head() {
      return head
    },
    seqOfKey: (key) => keys.get(key),

    read(fd, after, limit) {
      const found: LoggedEntry[] = []
      const begin = offsets[lineOf(seqs, after + 1)]
      if (head === undefined || after >= head.length || begin === undefined) return found
      for (const { offset, value } of linesOf(fd, begin)) {
        const entries = (value as SessionLine | undefined)?.entries ?? []
        // Others may have appended more since the fold was brought up to date.
        for (const logged of entries) {
          if (logged.seq > after && logged.seq <= head.length && found.length < limit) found.push(logged)
        }
        if (found.length >= limit || found.at(-1)?.seq === head.length || offset - begin > PAGE_BYTES) break
      }
      return found
    },
  }
}

/** Whether a line continues the log: the same session, and entries that follow those that are there. */
function isNext(value: unknown, head: SessionHead | undefined): value is SessionLine {
  const line = value as Partial<SessionLine>
  if (!line.head || !Array.isArray(line.entries) || (head && head.id !== line.head.id)) return false
  const before = head?.length ?? 0
  const inPlace = line.entries.every((logged: LoggedEntry, index) => logged.seq === before + 1 + index)
  return inPlace && line.head.length === before + line.entries.length
}

/** Which line holds an entry: the last one that does not begin after it. */
function lineOf(seqs: readonly number[], seq: number): number {
  let from = 0
  let to = seqs.length
  while (to - from > 1) {
    const middle = (from + to) >> 1
    if ((seqs[middle] ?? 0) <= seq) from = middle
    else to = middle
  }
  return from
}
