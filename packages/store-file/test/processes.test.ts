import { execFile, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeCrashes } from '@orra/conformance'
import type { Entry, LoggedEntry } from '@orra/core'
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
    const entries: LoggedEntry[] = []
    // When this process was slow to kill them, they wrote more than one page.
    for (let page = await store.sessions.read(bob); page.length > 0; ) {
      entries.push(...page)
      page = await store.sessions.read(bob, { after: entries.length })
    }
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

describeCrashes('a bot on it', {
  module: new URL('./crash-app.ts', import.meta.url),
  place: async () => {
    const { folder, [Symbol.asyncDispose]: dispose } = await scratch()
    return { place: folder, dispose }
  },
  againEvery: 0,
})
