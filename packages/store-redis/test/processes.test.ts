import { execFile, fork } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { redisStore } from '@orra/store-redis'
import { expect, it } from 'vitest'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'
import { bob } from './entries.ts'

const run = promisify(execFile)
const worker = join(import.meta.dirname, 'worker.ts')
const execArgv = ['--conditions=@orra/source']

async function scratchFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'orra-redis-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

await describeRedis('several processes on one server', (url) => {
  it('killed over and over, lose nothing, do nothing twice and never interleave', async () => {
    await using scratch = scratchPrefix(url)
    await using place = await scratchFolder()
    const { prefix } = scratch
    const effects = join(place.folder, 'effects')
    await writeFile(effects, '')
    for (let round = 0; round < 6; round += 1) {
      const child = fork(worker, ['answer', url, prefix, effects], { execArgv, stdio: 'ignore' })
      const exited = new Promise((resolve) => child.on('exit', resolve))
      // Each round dies a few steps further on than the one before.
      let steps = 0
      child.on('message', () => {
        steps += 1
        if (steps === 3 + 5 * round) child.kill('SIGKILL')
      })
      await exited
    }
    await run(process.execPath, [...execArgv, worker, 'resume', url, prefix, effects])

    await using store = redisStore(url, { prefix })
    const entries = (await store.sessions.read(bob, { limit: 100_000 })).map(({ entry }) => entry)
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
    expect((await store.sessions.list({ pending: true })).items).toEqual([])
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
