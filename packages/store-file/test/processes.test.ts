import { execFile, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Entry } from '@orra/core'
import { fileStore } from '@orra/store-file'
import { describe, expect, it } from 'vitest'
import { bob, scratch } from './scratch.ts'

const run = promisify(execFile)
const worker = join(import.meta.dirname, 'worker.ts')
const execArgv = ['--conditions=@orra/source']

async function entriesOf(folder: string): Promise<readonly Entry[]> {
  await using store = fileStore(folder)
  return (await store.sessions.read(bob, { limit: 100_000 })).map(({ entry }) => entry)
}

describe('several processes on one folder', () => {
  it('may make it at the same moment, and each has its place in the log', async () => {
    await using place = await scratch()
    const folder = join(place.folder, 'new', 'store')
    const openings = Array.from({ length: 6 }, () => run(process.execPath, [...execArgv, worker, 'append', folder]))
    await Promise.all(openings)
    expect(await entriesOf(folder)).toHaveLength(6)
  }, 60_000)

  it('killed over and over, lose nothing, do nothing twice and never interleave', async () => {
    await using place = await scratch()
    const folder = join(place.folder, 'store')
    const effects = join(place.folder, 'effects')
    await writeFile(effects, '')
    for (let round = 0; round < 6; round += 1) {
      const child = fork(worker, ['answer', folder, effects], { execArgv, stdio: 'ignore' })
      const exited = new Promise((resolve) => child.on('exit', resolve))
      // Each round dies a few steps further on than the one before.
      let steps = 0
      child.on('message', () => {
        steps += 1
        if (steps === 3 + 5 * round) child.kill('SIGKILL')
      })
      await exited
    }
    await run(process.execPath, [...execArgv, worker, 'resume', folder, effects])

    const entries = await entriesOf(folder)
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

  it('killed in the middle of whatever they write, leave a store in which what they were told is true', async () => {
    await using place = await scratch()
    const folder = join(place.folder, 'store')
    /** What each process was told before it died. */
    const told: { readonly key: string; readonly seq: number }[] = []
    let reserved = 0
    for (let round = 0; round < 4; round += 1) {
      const children = [0, 1, 2].map((child) => {
        const process = fork(worker, ['write', folder], { execArgv, stdio: 'ignore' })
        const exited = new Promise((resolve) => process.on('exit', resolve))
        let count = 0
        process.on('message', (message: { readonly key: string; readonly seq: number }) => {
          told.push(message)
          reserved += 1
          count += 1
          if (count === 10 + 7 * round + 3 * child) process.kill('SIGKILL')
        })
        return exited
      })
      await Promise.all(children)
    }

    await using store = fileStore(folder)
    const entries = await store.sessions.read(bob, { limit: 100_000 })
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
    const keys = entries.map(({ entry }) => (entry.type === 'input' ? entry.key : undefined))
    expect(new Set(keys).size).toBe(keys.length)
    expect(told.length).toBeGreaterThan(100)
    for (const { key, seq } of told) expect(keys[seq - 1]).toBe(key)
    const records = (await store.records.list({ limit: 100_000 })).items
    expect(new Set(records.map(({ version }) => version)).size).toBe(records.length)
    for (const { key } of told) expect(records.some(({ id }) => id === key)).toBe(true)
    // A process that was killed may have done one thing more than it told of.
    const [counter] = (await store.counters.list()).items
    expect(counter?.used).toBeGreaterThanOrEqual(reserved)
    expect(counter?.used).toBeLessThanOrEqual(reserved + 12)
    expect((await store.sessions.list({ pending: true })).items).toHaveLength(1)
    expect(readdirSync(join(folder, 'passing'))).toEqual([])
  }, 60_000)
})
