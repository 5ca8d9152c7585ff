import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { sameFile } from './same-file.ts'
import { toStoreError } from './sqlite-error.ts'
import { pause, waitWhileBusy } from './wait-while-busy.ts'

/** How the parts of the store reach the database. What SQLite throws comes out in orra's words. */
export interface SqliteAccess {
  /** The statement of this text, prepared once. */
  readonly sql: (text: string) => StatementSync
  /** Runs `work`, which only reads, and in one statement. It may be run more than once. */
  readonly reading: <T>(work: () => T) => Promise<T>
  /**
   * Runs `work` alone among all processes, the whole of it or nothing, and after all that this process asked for before.
   * It may be run more than once.
   */
  readonly transaction: <T>(work: () => T) => Promise<T>
  /** So that what was deleted is not to be read in the write-ahead log, either; unless others go on reading. */
  readonly scrub: () => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Closes the database when all transactions are over. */
  readonly close: () => Promise<void>
}

export interface SqliteAccessOptions {
  /** For messages. */
  readonly path: string
  readonly busyTimeoutMs: number
  readonly now: () => number
}

export function sqliteAccess(db: DatabaseSync, { path, busyTimeoutMs, now }: SqliteAccessOptions): SqliteAccess {
  const checkFile = sameFile(db, path)
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    const statement = statements.get(text) ?? db.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const deadline = () => performance.now() + busyTimeoutMs

  async function attempt<T>(work: () => T, until = deadline()): Promise<T> {
    try {
      return await waitWhileBusy(until, work)
    } catch (error) {
      throw toStoreError(error, path)
    }
  }

  function atOnce<T>(work: () => T): T {
    checkFile()
    sql('BEGIN IMMEDIATE').run()
    try {
      const result = work()
      sql('COMMIT').run()
      return result
    } catch (error) {
      if (db.isTransaction) sql('ROLLBACK').run()
      throw error
    }
  }

  /** Settles when the last transaction that was asked for is over. */
  let line: Promise<unknown> = Promise.resolve()

  return {
    sql,
    reading: (work) => attempt(work),
    transaction(work) {
      const until = deadline()
      const done = line.then(() => attempt(() => atOnce(work), until))
      line = done.catch(() => {})
      return done
    },
    async scrub() {
      const until = deadline()
      const busy = () => sql('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 1
      while ((await attempt(busy, until)) && performance.now() < until) await pause()
    },
    now,
    async close() {
      await line
      if (db.isOpen) db.close()
    },
  }
}
