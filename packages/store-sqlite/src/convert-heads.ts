import type { DatabaseSync } from 'node:sqlite'
import { isPending, type SessionHead } from '@orra/core'

/** A session of version 1, which had a column for each field of its head, and none for where its run began. */
interface SessionRow1 {
  readonly id: number
  readonly key: string
  readonly uid: string
  readonly length: number
  readonly epoch: number
  readonly inbox: string
  readonly open_run: string | null
  readonly open_input: string | null
  readonly metadata: string
  readonly created_at: number
  readonly updated_at: number
  readonly owner: string | null
  readonly lease_ends_at: number | null
}

/** Fills the sessions of version 2 from those of version 1. */
export function convertHeads(db: DatabaseSync): void {
  const insert = db.prepare('INSERT INTO orra_session VALUES (?, ?, ?, ?, ?, ?, ?)')
  for (const found of db.prepare('SELECT * FROM orra_session_1').iterate()) {
    const row = found as unknown as SessionRow1
    const head = headOf(db, row)
    const pending = isPending(head) ? 1 : 0
    insert.run(row.id, row.key, JSON.stringify(head), row.epoch, pending, row.owner, row.lease_ends_at)
  }
}

function headOf(db: DatabaseSync, row: SessionRow1): SessionHead {
  const { open_run: runId, open_input: input } = row
  return {
    namespace: row.key,
    id: row.uid,
    length: row.length,
    epoch: row.epoch,
    inbox: JSON.parse(row.inbox),
    ...(runId === null || input === null ? {} : { openRun: { runId, input, seq: beginOf(db, row.id, runId) } }),
    metadata: JSON.parse(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function beginOf(db: DatabaseSync, session: number, runId: string): number {
  const begin = db.prepare(`SELECT seq FROM orra_entry WHERE session = ?
    AND entry ->> 'type' = 'run-started' AND entry ->> 'runId' = ? ORDER BY seq DESC LIMIT 1`)
  return begin.get(session, runId)?.['seq'] as number
}
