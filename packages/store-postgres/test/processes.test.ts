import { execFile, fork } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Entry, Namespace } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'

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

  it('killed over and over, lose nothing, do nothing twice and never interleave', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using folder = await scratchFolder()
    const effects = join(folder.path, 'effects')
    await writeFile(effects, '')
    for (let round = 0; round < 6; round += 1) {
      const child = fork(worker, ['answer', url, schema, effects], { execArgv, stdio: 'ignore' })
      const exited = new Promise((resolve) => child.on('exit', resolve))
      // Each round dies a few steps further on than the one before.
      let steps = 0
      child.on('message', () => {
        steps += 1
        if (steps === 3 + 5 * round) child.kill('SIGKILL')
      })
      await exited
    }
    await run(process.execPath, [...execArgv, worker, 'resume', url, schema, effects])

    const entries = await entriesOf(url, schema)
    const inputs = entries.flatMap((entry) => (entry.type === 'input' ? [entry.key] : []))
    const taken = entries.flatMap((entry) => (entry.type === 'message' && entry.input ? [entry.input] : []))
    expect(taken).toEqual(inputs)
    expect(inputs.length).toBeGreaterThan(6)
    let open: string | undefined
    for (const entry of entries) {
      if (entry.type === 'run-started') expect(open).toBeUndefined()
      if (entry.type === 'run-ended') expect(entry.runId).toBe(open)
      if (entry.type === 'run-started') open = entry.runId
      if (entry.type === 'run-ended') open = undefined
    }
    expect(open).toBeUndefined()
    const done = (await readFile(effects, 'utf8')).trim().split('\n')
    expect(new Set(done).size).toBe(done.length)
    const results = entries.flatMap((entry) =>
      entry.type === 'message' && entry.message.role === 'tool'
        ? entry.message.content.map(({ callId }) => callId)
        : [],
    )
    expect(new Set(results).size).toBe(results.length)
  }, 60_000)
})

async function scratchFolder() {
  const path = await mkdtemp(join(tmpdir(), 'orra-postgres-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
