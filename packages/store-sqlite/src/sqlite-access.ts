import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { toStoreError } from './sqlite-error.ts'

/** How the parts of the store reach the database. What SQLite throws comes out in orra's words. */
export interface SqliteAccess {
  /** The statement of this text, prepared once. */
  readonly sql: (text: string) => StatementSync
  /** Runs one statement that needs no transaction around it. */
  readonly single: <T>(work: () => T) => T
  /** Runs `work` alone among all processes, the whole of it or nothing. */
  readonly transaction: <T>(work: () => T) => T
  /** So that what was deleted is not to be read in the write-ahead log, either; unless others are reading just now. */
  readonly scrub: () => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export function sqliteAccess(db: DatabaseSync, path: string, now: () => number): SqliteAccess {
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    const statement = statements.get(text) ?? db.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const single = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw toStoreError(error, path)
    }
  }
  const transaction = <T>(work: () => T): T =>
    single(() => {
      sql('BEGIN IMMEDIATE').run()
      try {
        const result = work()
        sql('COMMIT').run()
        return result
      } catch (error) {
        if (db.isTransaction) sql('ROLLBACK').run()
        throw error
      }
    })
  const scrub = () => single(() => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  return { sql, single, transaction, scrub, now }
}
