import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeCrashes } from '@orra/conformance'
import { type Entry, Namespace } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'
import { proxyTo } from './proxy.ts'

const run = promisify(execFile)
const bob = Namespace.of('bob')
const worker = join(import.meta.dirname, 'worker.ts')
const execArgv = ['--conditions=@orra/source']

async function entriesOf(url: string, schema: string): Promise<readonly Entry[]> {
  await using store = postgresStore(url, { schema })
  return (await store.sessions.read(bob, { limit: 100_000 })).map(({ entry }) => entry)
}

await describePostgres('several processes on one database', (url) => {
  it('may make its tables at the same moment, and each has its place in the log', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    const jobs = Array.from({ length: 4 }, () => run(process.execPath, [...execArgv, worker, 'append', url, schema]))
    await Promise.all(jobs)
    expect(await entriesOf(url, schema)).toHaveLength(4)
  })

  it('end by themselves once they have closed the store, whatever it was used for', async () => {
    await using scratch = scratchSchema(url)
    // What Node says of a process that ends while it waits for something would stand in stderr.
    const ended = await run(process.execPath, [...execArgv, worker, 'listen', url, scratch.schema])
    expect(ended).toEqual({ stdout: '', stderr: '' })
  })

  it('end by themselves though the server says nothing more', async () => {
    await using scratch = scratchSchema(url)
    await using proxy = await proxyTo(url)
    proxy.silenceAt('LISTEN')
    const args = [...execArgv, worker, 'silence', proxy.url, scratch.schema]
    const ended = await run(process.execPath, args, { timeout: 4500 })
    expect(ended).toEqual({ stdout: 'retryable: true\n', stderr: '' })
  })

  describeCrashes('a bot on it', {
    module: new URL('./crash-app.ts', import.meta.url),
    place: async () => {
      const { schema, [Symbol.asyncDispose]: dispose } = scratchSchema(url)
      return { place: JSON.stringify([url, schema]), dispose }
    },
    againEvery: 0,
  })
})
