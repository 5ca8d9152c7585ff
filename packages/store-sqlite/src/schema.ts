import type { DatabaseSync } from 'node:sqlite'
import { OrraError } from '@orra/core'
import { convertHeads } from './convert-heads.ts'

/** One step a version, each leading from the one before. */
const MIGRATIONS: readonly ((db: DatabaseSync) => void)[] = [
  (db) =>
    db.exec(`
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
    `),

  (db) => {
    db.exec(`
      ALTER TABLE orra_session RENAME TO orra_session_1;
      CREATE TABLE orra_session (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        head TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        pending INTEGER NOT NULL,
        owner TEXT,
        lease_ends_at INTEGER
      ) STRICT;
      CREATE INDEX orra_session_pending ON orra_session (key) WHERE pending = 1;
    `)
    convertHeads(db)
    db.exec(`
      DROP TABLE orra_session_1;
      ALTER TABLE orra_fence ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
      CREATE TABLE orra_record (
        rowid INTEGER PRIMARY KEY,
        namespace TEXT NOT NULL,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        value TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        UNIQUE (namespace, collection, id)
      ) STRICT;
      CREATE VIRTUAL TABLE orra_record_words USING fts5 (
        within, words, content = '', contentless_delete = 1, tokenize = 'ascii'
      );
      CREATE TABLE orra_counter (
        namespace TEXT NOT NULL,
        counter TEXT NOT NULL,
        window TEXT NOT NULL,
        ends_at INTEGER,
        used INTEGER NOT NULL,
        PRIMARY KEY (namespace, counter, window)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX orra_counter_ends_at ON orra_counter (ends_at) WHERE ends_at IS NOT NULL;
      CREATE TABLE orra_reservation (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX orra_reservation_expires_at ON orra_reservation (expires_at);
      CREATE TABLE orra_claim (
        reservation TEXT NOT NULL,
        place INTEGER NOT NULL,
        namespace TEXT NOT NULL,
        counter TEXT NOT NULL,
        window TEXT NOT NULL,
        ends_at INTEGER,
        amount INTEGER NOT NULL,
        PRIMARY KEY (reservation, place)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX orra_claim_counter ON orra_claim (namespace, counter, window);
    `)
  },
]

/** What this version reads and writes. */
const VERSION = MIGRATIONS.length

/**
 * Brings the tables to this version; they stand beside whatever else the file holds. Safe with several processes at
 * once. Throws `store.newer-schema`.
 */
export function migrate(db: DatabaseSync): void {
  // As a rule nothing is to be done, and nobody has to wait for those who write.
  if (versionOf(db) === VERSION) return
  db.exec('BEGIN IMMEDIATE')
  try {
    const found = versionOf(db)
    for (const step of MIGRATIONS.slice(found)) step(db)
    db.exec(`
      CREATE TABLE IF NOT EXISTS orra_schema (version INTEGER NOT NULL) STRICT;
      DELETE FROM orra_schema;
      INSERT INTO orra_schema VALUES (${VERSION});
    `)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** 0 where there is nothing yet. Throws `store.newer-schema`. */
function versionOf(db: DatabaseSync): number {
  if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'orra_schema'").get()) return 0
  const found = (db.prepare('SELECT version FROM orra_schema').get()?.['version'] as number | undefined) ?? 0
  if (found > VERSION) throw newerSchema(found)
  return found
}

function newerSchema(found: number): OrraError<'store.newer-schema'> {
  const message = `This database was written by a newer @orra/store-sqlite (its schema is ${found}, this one knows ${VERSION}); update the package.`
  return new OrraError('store.newer-schema', message, { details: { store: 'sqlite', found, supported: VERSION } })
}
