import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of its own for a test, gone when the test is over. */
export async function scratch() {
  const folder = await mkdtemp(join(tmpdir(), 'orra-sqlite-'))
  return { path: join(folder, 'orra.db'), folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
