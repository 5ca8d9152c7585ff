import { type CounterBook, type CounterChange, type CounterDecision, type Counters, counterBook } from '@orra/core'
import type { FileLocks } from './file-locks.ts'
import type { Guard } from './guard.ts'
import { type Fold, logFile, type Recovery } from './log-file.ts'
import { encodeLine } from './log-line.ts'
import { replaceFile, type Writing } from './replace-file.ts'

export interface FileCountersOptions {
  /** Of the log. */
  readonly path: string
  readonly locks: FileLocks
  readonly writing: Writing
  readonly onRecovered: (what: Recovery) => void
  readonly now: () => number
  readonly guarded: Guard
}

/** The log is written anew once it has this many lines, and several times as many as it needs. */
const LINES_KEPT = 1000

/** What the log of counters adds up to. */
interface CounterFold extends Fold {
  readonly book: CounterBook
  /** How many lines were added. */
  readonly lines: number
}

/** All counters in one log, a change a line, which is written anew now and then; what it adds up to is kept in memory. */
export function fileCounters({ path, locks, writing, onRecovered, now, guarded }: FileCountersOptions): Counters {
  const fold = counterFold()
  const log = logFile({ path, fold, durable: writing.durable, makeFolder: () => {}, onRecovered })

  const change = <T>(decide: (book: CounterBook) => CounterDecision<T>): Promise<T> =>
    locks.hold('counters', () => {
      compact(log.change(() => fold.lines))
      return log.change((append) => {
        const { result, change } = decide(fold.book)
        if (change) append(change)
        return result
      })
    })

  function compact(lines: number): void {
    if (lines < LINES_KEPT) return
    const everything = fold.book.everything(now())
    if (everything.type !== 'everything') return
    const needed = everything.counters.length + everything.reservations.length
    if (lines > 2 * needed) writeAnew()
  }

  /** The next one to look sees that it is another file. */
  function writeAnew(): void {
    replaceFile(path, encodeLine(fold.book.everything(now())), writing)
  }

  const look = async <T>(work: (book: CounterBook) => T): Promise<T> => {
    const seen = log.look(() => work(fold.book))
    return seen ? seen.result : locks.hold('counters', () => log.change(() => work(fold.book)))
  }

  return {
    reserve(claims, { ttlMs, signal }) {
      return guarded(signal, () => {
        const asked = claims.map((claim) => ({ ...claim }))
        return change((book) => book.reserve(asked, ttlMs, now()))
      })
    },

    extend(id, ttlMs, { signal } = {}) {
      return guarded(signal, () => change((book) => book.extend(id, ttlMs, now())))
    },

    settle(id, amounts, { signal } = {}) {
      return guarded(signal, () => {
        const used = [...amounts]
        return change((book) => book.settle(id, used, now()))
      })
    },

    list({ signal, ...options } = {}) {
      return guarded(signal, () => look((book) => book.list(options, now())))
    },

    erase(namespace, { signal } = {}) {
      return guarded(signal, async () => {
        const erased = await change((book) => book.erase(namespace, now()))
        // Nothing of it is left in what was written before, either.
        await locks.hold('counters', () => {
          log.change(() => {})
          writeAnew()
        })
        return erased
      })
    },
  }
}

function counterFold(): CounterFold {
  let book = counterBook()
  let lines = 0
  return {
    get book() {
      return book
    },
    get lines() {
      return lines
    },
    reset() {
      book = counterBook()
      lines = 0
    },
    add(value) {
      book.apply(value as CounterChange)
      lines += 1
      return true
    },
  }
}
