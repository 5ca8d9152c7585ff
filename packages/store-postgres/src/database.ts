import type { Pool, PoolClient } from 'pg'
import { CLOSED, hasCollided, toStoreError, unusable } from './postgres-error.ts'
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

export interface DatabaseOptions {
  readonly pool: Pool
  /** It is not the application's. */
  readonly owned: boolean
  /** Host, port and database, for messages. */
  readonly target: string
  /** Run before anything else, until it has succeeded once. */
  readonly prepare: (database: Database) => Promise<void>
}

const SERVER_CLOCK = sql`(extract(epoch FROM statement_timestamp()) * 1000)::bigint`

/** Calls undone for another's sake are made again, this often. */
const TRIES = 20

export function clockOf(now: (() => number) | undefined): Clock {
  return now ? () => sql`${Math.trunc(now())}::bigint` : () => SERVER_CLOCK
}

/**
 * One pool, used so that a pooler which gives every transaction another connection does no harm: nothing is left behind on
 * a connection, neither settings nor prepared statements nor locks.
 */
export function openDatabase({ pool, owned, target, prepare }: DatabaseOptions): OpenDatabase {
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  let prepared: Promise<void> | undefined
  // An idle connection that breaks is taken out of the pool; the next call makes another.
  pool.on('error', ignore)

  const direct: Database = {
    run: (statement) => again(() => runOn(pool, statement, target)),
    transaction: (locks, work) => again(() => transact(locks, work)),
  }
  const ready = () => {
    prepared ??= prepare(direct).catch((error: unknown) => {
      prepared = undefined
      throw error
    })
    return prepared
  }

  async function transact<T>(locks: readonly bigint[], work: (run: Run) => Promise<T>): Promise<T> {
    const client = await driven(() => pool.connect(), target)
    client.on('error', ignore)
    let broken = true
    try {
      const begin = [
        'BEGIN ISOLATION LEVEL READ COMMITTED',
        ...locks.map((lock) => `SELECT pg_advisory_xact_lock(${lock})`),
      ]
      await driven(() => client.query(begin.join(';')), target)
      const result = await work((statement) => runOn(client, statement, target))
      await driven(() => client.query('COMMIT'), target)
      broken = false
      return result
    } catch (error) {
      broken = await client.query('ROLLBACK').then(
        () => false,
        () => true,
      )
      throw error
    } finally {
      client.off('error', ignore)
      client.release(broken)
    }
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

async function runOn<Row>(on: Pool | PoolClient, { text, values }: Sql, target: string): Promise<readonly Row[]> {
  const types = { getTypeParser: () => asWritten }
  const { rows } = await driven(() => on.query({ text, values: [...values], types }), target)
  return rows as Row[]
}

async function driven<T>(work: () => Promise<T>, target: string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStoreError(error, target)
  }
}

function asWritten(text: string): string {
  return text
}

function ignore(): void {}
