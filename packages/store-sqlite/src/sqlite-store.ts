import { DatabaseSync } from 'node:sqlite'
import { checkOptions, invalidOption, type OptionNames, type SearchableRecords, type Store } from '@orra/core'
import { migrate } from './schema.ts'
import { type SqliteAccessOptions, sqliteAccess } from './sqlite-access.ts'
import { sqliteCounters } from './sqlite-counters.ts'
import { toStoreError } from './sqlite-error.ts'
import { sqliteRecords } from './sqlite-records.ts'
import { sqliteSessions } from './sqlite-sessions.ts'
import { waitWhileBusySync } from './wait-while-busy.ts'

export interface SqliteStoreOptions {
  /**
   * What survives a loss of power. `normal`: what was written up to the last moments; a killed process loses nothing.
   * `full`: everything, at the price of a disk flush for every append. @default normal
   */
  readonly synchronous?: 'normal' | 'full'
  /**
   * How long to wait for another process that is writing, in milliseconds; then `store.unusable` is thrown, which says that
   * it is `retryable`. Other work of this process goes on meanwhile, but for the opening. @default 5000
   */
  readonly busyTimeoutMs?: number
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

type SearchableStore = Store & { readonly records: SearchableRecords }

const OPTIONS: OptionNames<SqliteStoreOptions> = { synchronous: true, busyTimeoutMs: true, now: true }

/**
 * A durable store in one SQLite file, shared by any number of processes on one machine. Its tables begin with `orra_`
 * and may stand beside an application's own. The file is made when it is not there; its folder is not.
 *
 * Throws `store.unusable` and `store.newer-schema` at once.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): SearchableStore {
  if (typeof path !== 'string' || path === '')
    throw invalidOption('path', 'give the path of a database file, or ":memory:"')
  checkOptions('sqliteStore', options, OPTIONS)
  const { synchronous = 'normal', busyTimeoutMs = 5000, now = Date.now } = options
  if (synchronous !== 'normal' && synchronous !== 'full') throw invalidOption('synchronous', 'give "normal" or "full"')
  try {
    return storeOn(openDatabase(path, synchronous, busyTimeoutMs), { path, busyTimeoutMs, now })
  } catch (error) {
    throw toStoreError(error, path)
  }
}

/** The store in a database that is open and brought to this version. */
export function storeOn(db: DatabaseSync, options: SqliteAccessOptions): SearchableStore {
  const access = sqliteAccess(db, options)
  return {
    name: 'sqlite',
    sessions: sqliteSessions(access),
    records: sqliteRecords(access),
    counters: sqliteCounters(access),
    [Symbol.asyncDispose]: access.close,
  }
}

function openDatabase(path: string, synchronous: 'normal' | 'full', busyTimeoutMs: number): DatabaseSync {
  const db = new DatabaseSync(path)
  try {
    waitWhileBusySync(performance.now() + busyTimeoutMs, () => {
      db.exec('PRAGMA journal_mode = WAL')
      // What is deleted is not to be read in the bytes of the file.
      db.exec('PRAGMA secure_delete = ON')
      db.exec(`PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`)
      migrate(db)
    })
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
