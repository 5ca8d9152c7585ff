import type { PoolClient } from 'pg'
import { type ConnectionsOptions, connectionsOf } from './connections.ts'
import { CLOSED, hasCollided, unusable } from './postgres-error.ts'
import { type Sql, sql } from './sql.ts'

/** Runs one statement. Columns come as PostgreSQL writes them, whatever types the application has set its driver to. */
export type Run = <Row>(statement: Sql) => Promise<readonly Row[]>

/** Milliseconds since 1970, where a statement needs them: the server's clock unless another was given. */
export type Clock = () => Sql

export interface Database {
  readonly run: Run
  /** All or nothing, after waiting for those who hold any of `locks`, which must be sorted. `work` may be run again. */
  readonly transaction: <T>(locks: readonly bigint[], work: (run: Run) => Promise<T>) => Promise<T>
}

export interface OpenDatabase extends Database {
  /** Refuses further calls and waits for those under way. An own pool is closed. */
  readonly close: () => Promise<void>
}

export interface DatabaseOptions extends ConnectionsOptions {
  /** The pool is not the application's. */
  readonly owned: boolean
  /** Run before anything else, until it has succeeded once. */
  readonly migrate: (database: Database) => Promise<void>
}

const SERVER_CLOCK = sql`(extract(epoch FROM statement_timestamp()) * 1000)::bigint`

/** Calls undone for another's sake are made again, this often. */
const TRIES = 20

/** Whoever stands still in a transaction is soon put out of it, so that those who wait for its locks need not give up. */
const BEGIN = [
  'BEGIN ISOLATION LEVEL READ COMMITTED',
  "SET LOCAL idle_in_transaction_session_timeout = '2s'",
  "SET LOCAL lock_timeout = '5s'",
]

export function clockOf(now: (() => number) | undefined): Clock {
  return now ? () => sql`${Math.trunc(now())}::bigint` : () => SERVER_CLOCK
}

/**
 * One pool, used so that a pooler which gives every transaction another connection does no harm: neither settings nor locks
 * are left behind on a connection, and prepared statements only where they are asked for.
 */
export function openDatabase({ owned, migrate, ...options }: DatabaseOptions): OpenDatabase {
  const { pool, target, timeoutMs } = options
  const { run, runOn, between } = connectionsOf(options)
  const clients = new Set<PoolClient>()
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  let migrated: Promise<void> | undefined
  // An idle connection that breaks is taken out of the pool; the next call makes another.
  pool.on('error', ignore)
  if (owned) {
    pool.on('connect', (client) => clients.add(client))
    pool.on('remove', (client) => clients.delete(client))
  }

  const direct: Database = {
    run: (statement) => again(() => run(statement)),
    transaction: (locks, work) => again(() => transact(locks, work)),
  }
  const ready = () => {
    migrated ??= migrate(direct).catch((error: unknown) => {
      migrated = undefined
      throw error
    })
    return migrated
  }

  function transact<T>(locks: readonly bigint[], work: (run: Run) => Promise<T>): Promise<T> {
    const begin = [...BEGIN, ...locks.map((lock) => `SELECT pg_advisory_xact_lock(${lock})`)].join(';')
    return between(begin, (client) => work((statement) => runOn(client, statement)))
  }

  async function call<T>(work: () => Promise<T>): Promise<T> {
    if (closing) throw unusable(target, CLOSED)
    const running = ready().then(work)
    underWay.add(running)
    try {
      return await running
    } finally {
      underWay.delete(running)
    }
  }

  async function close(): Promise<void> {
    await Promise.allSettled(underWay)
    if (owned) await pool.end()
    pool.off('error', ignore)
    // A server that says nothing does not close its end either.
    const cutOff = () => {
      for (const client of clients) client.connection.stream.destroy()
    }
    setTimeout(cutOff, timeoutMs).unref()
  }

  return {
    run: (statement) => call(() => direct.run(statement)),
    transaction: (locks, work) => call(() => direct.transaction(locks, work)),
    close() {
      closing ??= close()
      return closing
    },
  }
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!hasCollided(error) || tries === TRIES) throw error
    }
  }
}

function ignore(): void {}
