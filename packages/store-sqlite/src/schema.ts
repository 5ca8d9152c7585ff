import type { DatabaseSync } from 'node:sqlite'
import { OrraError } from '@orra/core'

/** What this version reads and writes. */
const VERSION = 1

/** One statement list a version, each leading from the one before. */
const MIGRATIONS = [
  `
  CREATE TABLE orra_session (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    length INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    inbox TEXT NOT NULL,
    open_run TEXT,
    open_input TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    owner TEXT,
    lease_ends_at INTEGER
  ) STRICT;
  CREATE TABLE orra_entry (
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    input_key TEXT,
    entry TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT;
  CREATE UNIQUE INDEX orra_entry_input_key ON orra_entry (session, input_key) WHERE input_key IS NOT NULL;
  CREATE TABLE orra_fence (epoch INTEGER NOT NULL) STRICT;
  INSERT INTO orra_fence VALUES (0);
  `,
]

/**
 * Brings the tables to this version; they stand beside whatever else the file holds. Safe with several processes at
 * once. Throws `store.newer-schema`.
 */
export function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec('CREATE TABLE IF NOT EXISTS orra_schema (version INTEGER NOT NULL) STRICT')
    const found = (db.prepare('SELECT version FROM orra_schema').get()?.['version'] as number | undefined) ?? 0
    if (found > VERSION) throw newerSchema(found)
    for (const statements of MIGRATIONS.slice(found)) db.exec(statements)
    if (found < VERSION) db.exec(`DELETE FROM orra_schema; INSERT INTO orra_schema VALUES (${VERSION})`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function newerSchema(found: number): OrraError<'store.newer-schema'> {
  const message = `This database was written by a newer @orra/store-sqlite (its schema is ${found}, this one knows ${VERSION}); update the package.`
  return new OrraError('store.newer-schema', message, { details: { store: 'sqlite', found, supported: VERSION } })
}
