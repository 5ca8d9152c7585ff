import { createHash } from 'node:crypto'
import { type AppendPlan, isPending, type SessionHead } from '@orra/core'
import type { Clock, Run } from './database.ts'
import { placeOf } from './namespace-place.ts'
import type { Tables } from './schema.ts'
import { raw, type Sql, sql } from './sql.ts'

/** A session as it was when it was read or written: whatever changes its head changes `length` or `epoch`. */
export interface SessionRow {
  readonly id: string
  /** The head without what has a column of its own. */
  readonly head: string
  readonly epoch: string
  readonly created_at: string
  readonly updated_at: string
}

/** A session with the places of those inputs that were asked for. */
export interface FoundSession extends SessionRow {
  /** By `inputId`, as JSON. */
  readonly known: string | null
}

export interface SessionRows {
  readonly find: (run: Run, key: string, inputs: readonly string[]) => Promise<FoundSession | undefined>
  /**
   * Writes what was planned on `base`, with the server's time, in one statement. `undefined`, and nothing is written, when
   * the session is no longer at `base`, or knows one of the inputs.
   */
  readonly write: (run: Run, base: SessionRow | undefined, plan: AppendPlan) => Promise<SessionRow | undefined>
}

export const SESSION_COLUMNS = raw('id, head, epoch, created_at, updated_at')

export function sessionRows({ session, entry }: Tables, clock: Clock): SessionRows {
  const insertEntries = ({ logged }: AppendPlan): Sql => {
    const inputs = logged.map(({ entry }) => (entry.type === 'input' ? inputId(entry.key) : null))
    return sql`INSERT INTO ${entry} (session, seq, at, input, entry)
      SELECT changed.id, added.seq, changed.updated_at, added.input, added.entry FROM changed, unnest(
        ${logged.map(({ seq }) => seq)}::bigint[],
        ${inputs}::text[],
        ${logged.map(({ entry }) => JSON.stringify(entry))}::text[]
      ) AS added (seq, input, entry)`
  }

  const insert = ({ head }: AppendPlan): Sql => {
    const { place, long } = placeOf(head.namespace)
    return sql`INSERT INTO ${session} (key, long_key, head, length, epoch, pending, created_at, updated_at)
      VALUES (${place}, ${long}, ${headText(head)}, ${head.length}, ${head.epoch}, ${isPending(head)}, ${clock()}, ${clock()})
      ON CONFLICT (key) DO NOTHING`
  }

  const update = (base: SessionRow, { head, logged }: AppendPlan): Sql => {
    const inputs = logged.flatMap(({ entry }) => (entry.type === 'input' ? [inputId(entry.key)] : []))
    const isNew = sql`NOT EXISTS (SELECT FROM ${entry} WHERE session = ${base.id} AND input = ANY(${inputs}::text[]))`
    return sql`UPDATE ${session}
      SET head = ${headText(head)}, length = ${head.length}, pending = ${isPending(head)}, updated_at = ${clock()}
      WHERE id = ${base.id} AND length = ${head.length - logged.length} AND epoch = ${base.epoch}
      AND ${inputs.length === 0 ? raw('true') : isNew}`
  }

  return {
    async find(run, key, inputs) {
      const known = sql`(SELECT json_object_agg(input, seq) FROM ${entry}
        WHERE session = ${session}.id AND input = ANY(${inputs.map(inputId)}::text[]))`
      const [row] =
        await run<FoundSession>(sql`SELECT ${SESSION_COLUMNS}, ${inputs.length === 0 ? raw('NULL') : known} AS known
        FROM ${session} WHERE key = ${placeOf(key).place}`)
      return row
    },

    async write(run, base, plan) {
      const [row] = await run<SessionRow>(sql`WITH
        changed AS (${base ? update(base, plan) : insert(plan)} RETURNING id, epoch, created_at, updated_at),
        added AS (${insertEntries(plan)})
        SELECT * FROM changed`)
      return row && { ...row, head: headText(plan.head) }
    },
  }
}

export function headOf({ head, epoch, created_at, updated_at }: SessionRow): SessionHead {
  return {
    ...(JSON.parse(head) as Omit<SessionHead, 'epoch' | 'createdAt' | 'updatedAt'>),
    epoch: Number(epoch),
    createdAt: Number(created_at),
    updatedAt: Number(updated_at),
  }
}

/** The place of an input among those that were asked for. */
export function seqOf({ known }: FoundSession, key: string): number | undefined {
  return known === null ? undefined : (JSON.parse(known) as { readonly [id: string]: number })[inputId(key)]
}

export function headText({ epoch: _, createdAt: __, updatedAt: ___, ...head }: SessionHead): string {
  return JSON.stringify(head)
}

/** A key may have any length and hold any character; an index takes neither. */
function inputId(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
