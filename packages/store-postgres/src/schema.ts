import { createHash } from 'node:crypto'
import { OrraError } from '@orra/core'
import type { Database, Run } from './database.ts'
import { isMissing, unusable } from './postgres-error.ts'
import { raw, type Sql, sql } from './sql.ts'

/** The names of what the store has in the database, ready to stand in a statement. */
export interface Tables {
  readonly version: Sql
  readonly session: Sql
  readonly entry: Sql
  readonly record: Sql
  readonly counter: Sql
  readonly hold: Sql
  /** Sequences, as texts for `nextval`. */
  readonly epochs: Sql
  readonly versions: Sql
}

/** What this version reads and writes. */
const VERSION = 1

/** Lists of statements, each leading from one version to the next. */
const MIGRATIONS: readonly ((tables: Tables, name: (of: string) => string) => readonly string[])[] = [
  ({ session, entry, record, counter, hold }, name) => [
    `CREATE SEQUENCE ${name('epochs')}`,
    `CREATE SEQUENCE ${name('versions')}`,
    `CREATE TABLE ${session.text} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      key text COLLATE "C" NOT NULL UNIQUE,
      long_key text COLLATE "C",
      head text NOT NULL,
      length bigint NOT NULL,
      epoch bigint NOT NULL,
      pending boolean NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      owner text,
      lease_ends_at bigint
    ) WITH (fillfactor = 80)`,
    `CREATE INDEX ON ${session.text} (key) WHERE pending`,
    `CREATE TABLE ${entry.text} (
      session bigint NOT NULL,
      seq bigint NOT NULL,
      at bigint NOT NULL,
      input text COLLATE "C",
      entry text NOT NULL,
      PRIMARY KEY (session, seq)
    )`,
    `CREATE UNIQUE INDEX ON ${entry.text} (session, input) WHERE input IS NOT NULL`,
    `CREATE TABLE ${record.text} (
      namespace text COLLATE "C" NOT NULL,
      long_namespace text COLLATE "C",
      collection text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      value text NOT NULL,
      words text[] COLLATE "C" NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      PRIMARY KEY (namespace, collection, id)
    )`,
    `CREATE INDEX ON ${record.text} USING gin (words)`,
    `CREATE TABLE ${counter.text} (
      namespace text COLLATE "C" NOT NULL,
      long_namespace text COLLATE "C",
      name text COLLATE "C" NOT NULL,
      period text COLLATE "C" NOT NULL,
      ends_at bigint,
      used bigint NOT NULL,
      PRIMARY KEY (namespace, name, period)
    ) WITH (fillfactor = 80)`,
    `CREATE INDEX ON ${counter.text} (ends_at) WHERE ends_at IS NOT NULL`,
    `CREATE TABLE ${hold.text} (
      reservation text NOT NULL,
      place integer NOT NULL,
      namespace text COLLATE "C",
      long_namespace text COLLATE "C",
      name text COLLATE "C" NOT NULL,
      period text COLLATE "C" NOT NULL,
      ends_at bigint,
      amount bigint NOT NULL,
      expires_at bigint NOT NULL,
      PRIMARY KEY (reservation, place)
    )`,
    `CREATE INDEX ON ${hold.text} (namespace, name, period)`,
    `CREATE INDEX ON ${hold.text} (expires_at)`,
  ],
]

/** One lock for whoever makes or changes tables of orra's in a database. */
const MIGRATING = lockOf('orra migration')

export function tablesOf(schema: string, prefix: string): Tables {
  const name = nameIn(schema, prefix)
  const sequence = (of: string) => raw(`'${name(of)}'::regclass`)
  return {
    version: raw(name('schema')),
    session: raw(name('session')),
    entry: raw(name('entry')),
    record: raw(name('record')),
    counter: raw(name('counter')),
    hold: raw(name('hold')),
    epochs: sequence('epochs'),
    versions: sequence('versions'),
  }
}

/**
 * Brings the tables to this version, which costs one query when they are. Safe with any number of processes at once. Throws
 * `store.newer-schema`, and `store.unusable` for a database that cannot hold every character.
 */
export async function migrate(
  { run, transaction }: Database,
  schema: string,
  prefix: string,
  target: string,
): Promise<void> {
  const tables = tablesOf(schema, prefix)
  const before = await versionOf(run, tables).catch((error: unknown) => {
    if (isMissing(error)) return 0
    throw error
  })
  if (before === VERSION) return
  await transaction([MIGRATING], async (run) => {
    await requireUtf8(run, target)
    const there = await run(sql`SELECT FROM pg_namespace WHERE nspname = ${schema}`)
    if (there.length === 0) await run(raw(`CREATE SCHEMA "${schema}"`))
    await run(raw(`CREATE TABLE IF NOT EXISTS ${tables.version.text} (version integer NOT NULL)`))
    const found = await versionOf(run, tables)
    for (const statements of MIGRATIONS.slice(found)) {
      for (const statement of statements(tables, nameIn(schema, prefix))) await run(raw(statement))
    }
    if (found === VERSION) return
    await run(sql`DELETE FROM ${tables.version}`)
    await run(sql`INSERT INTO ${tables.version} VALUES (${VERSION})`)
  })
}

/** The number of a lock that transactions take by this name. */
export function lockOf(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigInt64BE()
}

async function versionOf(run: Run, { version }: Tables): Promise<number> {
  const [row] = await run<{ readonly version: string }>(sql`SELECT version FROM ${version}`)
  const found = Number(row?.version ?? 0)
  if (found > VERSION) throw newerSchema(found)
  return found
}

async function requireUtf8(run: Run, target: string): Promise<void> {
  const [row] = await run<{ readonly server_encoding: string }>(sql`SHOW server_encoding`)
  if (row?.server_encoding === 'UTF8') return
  throw unusable(target, 'the encoding of this database cannot hold every character; create one with ENCODING UTF8')
}

function nameIn(schema: string, prefix: string): (of: string) => string {
  return (of) => `"${schema}"."${prefix}${of}"`
}

function newerSchema(found: number): OrraError<'store.newer-schema'> {
  const message = `These tables were written by a newer @orra/store-postgres (their schema is ${found}, this one knows ${VERSION}); update the package.`
  return new OrraError('store.newer-schema', message, { details: { store: 'postgres', found, supported: VERSION } })
}
