import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CrashPlace } from '@orra/conformance'
import { scratchSchema } from '../test/services/postgres.ts'
import { scratchPrefix } from '../test/services/redis.ts'
import type { StorePlace } from './crash-stores.ts'

const {
  ORRA_TEST_POSTGRES_URL: postgresUrl = 'postgres://postgres@127.0.0.1:5432/test',
  ORRA_TEST_REDIS_URL: redisUrl = 'redis://127.0.0.1:6379',
} = process.env

/** A new place for a store: a folder, or a part of the server that the tests use. */
export async function newPlace(name: string): Promise<CrashPlace> {
  if (name === 'postgres') {
    const scratch = scratchSchema(postgresUrl)
    return placed({ name, at: postgresUrl, part: scratch.schema }, () => scratch[Symbol.asyncDispose]())
  }
  if (name === 'redis') {
    const scratch = scratchPrefix(redisUrl)
    return placed({ name, at: redisUrl, part: scratch.prefix }, () => scratch[Symbol.asyncDispose]())
  }
  const folder = await mkdtemp(join(tmpdir(), 'orra-crash-'))
  return placed({ name, at: folder, part: '' }, () => rm(folder, { recursive: true }))
}

function placed(place: StorePlace, dispose: () => Promise<void>): CrashPlace {
  return { place: JSON.stringify(place), dispose }
}
