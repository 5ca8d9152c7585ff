import { checkOptions, invalidOption, type NotifyingStore, type OptionNames, type SearchableRecords } from '@orra/core'
import { Client, Pool } from 'pg'
import { clockOf, openDatabase } from './database.ts'
import { channelListener } from './listen-to-channels.ts'
import { postgresCounters } from './postgres-counters.ts'
import { postgresNotices } from './postgres-notices.ts'
import { postgresRecords } from './postgres-records.ts'
import { postgresSessions } from './postgres-sessions.ts'
import { migrate, tablesOf } from './schema.ts'

export interface PostgresStoreOptions {
  /** The schema of its tables; made when it is not there. @default 'public' */
  readonly schema?: string
  /** What the names of its tables begin with: small letters, digits and `_`. @default 'orra_' */
  readonly prefix?: string
  /** The most connections at once, the one that listens aside. An application's own pool has its own. @default 10 */
  readonly poolSize?: number
  /**
   * Where to listen for notices: a connection string that leads past a pooler, since one that gives every transaction
   * another connection cannot listen; `false` to hear only those of this process. @default where the store is
   */
  readonly listen?: string | false
  /**
   * How long to wait for a connection, and for each answer, in milliseconds. A call that fails then can be made again; whether
   * its write was done is not known. @default 10_000
   */
  readonly timeoutMs?: number
  /**
   * Whether each connection prepares a statement once, by name, which about halves the server's work. Switch it off for a
   * pooler that gives every transaction another connection and does not carry them over. @default true
   */
  readonly prepare?: boolean
  /** A clock for tests, in milliseconds since 1970. @default the server's, the same for all processes */
  readonly now?: () => number
}

/** A store with both extra abilities. */
export interface PostgresStore extends NotifyingStore {
  readonly records: SearchableRecords
}

const OPTIONS: OptionNames<PostgresStoreOptions> = {
  schema: true,
  prefix: true,
  poolSize: true,
  listen: true,
  timeoutMs: true,
  prepare: true,
  now: true,
}

/** Leaves room for the longest name that follows it in PostgreSQL's 63 bytes. */
const PREFIX = /^[a-z_][a-z0-9_]{0,29}$/
const SCHEMA = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/**
 * A durable store in a PostgreSQL database, for any number of processes on any number of machines. Its tables are made, or
 * brought up to date, by the first call; nothing is done before. Give it a connection string, or a pool of your
 * application's own, which it does not close.
 *
 * Throws `options.invalid` at once; calls throw `store.unusable` and `store.newer-schema`.
 *
 * @example
 * await using store = postgresStore('postgres://app@localhost/app')
 */
export function postgresStore(database: string | Pool, options: PostgresStoreOptions = {}): PostgresStore {
  checkOptions('postgresStore', options, OPTIONS)
  const { schema = 'public', prefix = 'orra_', poolSize = 10, listen, now } = options
  const { timeoutMs = 10_000, prepare = true } = options
  if (!SCHEMA.test(schema)) throw invalidOption('schema', 'give a name of letters, digits and "_"')
  if (!PREFIX.test(prefix)) throw invalidOption('prefix', 'give at most 30 small letters, digits and "_"')
  if (!(Number.isInteger(poolSize) && poolSize > 0)) throw invalidOption('poolSize', 'give a whole number above 0')
  if (!(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31)) {
    throw invalidOption('timeoutMs', 'give milliseconds, 1 or more, less than 2 ** 31')
  }
  const owned = typeof database === 'string'
  if (!owned && options.poolSize !== undefined) throw invalidOption('poolSize', 'a pool that is given has its own')
  const target = targetOf(database)
  if (typeof listen === 'string') requireConnectionString('listen', listen)

  const pool = owned ? new Pool({ ...connecting(database, timeoutMs), max: poolSize }) : database
  const { close, ...access } = openDatabase({
    pool,
    owned,
    target,
    timeoutMs,
    named: prepare,
    migrate: (direct) => migrate(direct, schema, prefix, target),
  })
  // The password of a pool's options is hidden from what copies them.
  const own = { ...pool.options, password: pool.options.password, connectionTimeoutMillis: timeoutMs }
  const listeningTo = typeof listen === 'string' ? connecting(listen, timeoutMs) : own
  const listener = listen === false ? undefined : channelListener(() => new Client(listeningTo), target, timeoutMs)
  const notices = postgresNotices(access.run, listener, `${schema}.${prefix}`)
  const tables = tablesOf(schema, prefix)
  const clock = clockOf(now)
  return {
    name: 'postgres',
    sessions: postgresSessions(access, tables, clock, now),
    records: postgresRecords(access, tables, clock),
    counters: postgresCounters(access, tables, clock),
    notices,
    async [Symbol.asyncDispose]() {
      await notices.close()
      await close()
    },
  }
}

function connecting(connectionString: string, timeoutMs: number) {
  // A connection whose other end is gone without a word is noticed.
  const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }
  return { connectionString, connectionTimeoutMillis: timeoutMs, ...keepAlive }
}

/** Host, port and database. */
function targetOf(database: string | Pool): string {
  if (typeof database === 'string') requireConnectionString('database', database)
  else if (typeof database?.connect !== 'function' || !('totalCount' in database))
    throw invalidOption('database', 'give a connection string or a Pool of "pg", not a Client')
  const { host, port, database: name } = new Client(typeof database === 'string' ? database : database.options)
  return `${host}:${port}/${name}`
}

/** What is wrong with it is not said: it holds a password. */
function requireConnectionString(option: string, text: string): void {
  const problem = 'give a connection string such as "postgres://user:password@host:5432/database"'
  if (typeof text !== 'string' || !/^postgres(ql)?:\/\//.test(text)) throw invalidOption(option, problem)
  if (!isUnambiguous(text)) {
    throw invalidOption(option, 'in user and password, write @ : / ? # and % as %40 %3A %2F %3F %23 and %25')
  }
  try {
    new Client(text)
  } catch {
    throw invalidOption(option, problem)
  }
}

/** A password that is not escaped would be taken for a host, a port or a database, and told as such. */
function isUnambiguous(text: string): boolean {
  try {
    const { hash, pathname, search, username, password } = new URL(text)
    decodeURIComponent(username + password)
    return hash === '' && !pathname.includes('@') && !search.includes('@')
  } catch {
    return false
  }
}
