import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Namespace } from '@orra/core'
import { expect } from 'vitest'
import { waitingFor } from './approvals.ts'
import { bob, entriesOf, textsOf } from './entries.ts'
import { numbers, pagesOf } from './pages.ts'
import type { JOBS, Job } from './process-jobs.ts'
import type { Scenario, Tested } from './scenario.ts'
import type { Task } from './store-process.ts'

type Result<J extends Job> = Awaited<ReturnType<(typeof JOBS)[J]>>

const CHILDREN = 4

/** This file is read as it was written in this repository, and built everywhere else. */
const isSource = import.meta.url.endsWith('.ts')
const program = fileURLToPath(new URL(isSource ? './store-process.ts' : './store-process.js', import.meta.url))
const execArgv = isSource ? ['--conditions=@orra/source'] : []

/** Many processes on the same data. */
export function processScenarios(scenario: Scenario): void {
  scenario('append to one session without a gap or a double', async (tested) => {
    const results = await inProcesses(tested, 'append')
    const logged = await tested.sessions.read(bob)
    expect(logged.map(({ seq }) => seq)).toEqual(numbers(CHILDREN * 20 + 1).map((index) => index + 1))
    const texts = textsOf(logged)
    for (const [child, { seqs }] of results.entries()) {
      expect(seqs.map((seq) => texts[seq - 1])).toEqual(numbers(20).map((index) => `${child}-${index}`))
    }
    expect(new Set(results.flatMap(({ shared }) => shared)).size).toBe(1)
    expect((await tested.sessions.head(bob))?.inbox).toHaveLength(logged.length)
  })

  scenario('hold a lease one at a time', async (tested) => {
    const results = await inProcesses(tested, 'claim')
    const epochs = results.flat()
    expect(epochs).toHaveLength(20)
    expect(new Set(epochs).size).toBe(20)
    for (const index of numbers(20)) {
      const namespace = Namespace.of('wanted', `${index}`)
      const [winner, ...others] = textsOf(await tested.sessions.read(namespace))
      expect(others).toEqual([])
      expect(results[Number(winner)]).toContain((await tested.sessions.head(namespace))?.epoch)
    }
  })

  scenario('decide of a call once', async (tested) => {
    const ids = numbers(20).map((index) => `call-${index}`)
    await waitingFor(tested.sessions, ids)
    const results = await inProcesses(tested, 'decide')
    expect(results.flat().toSorted()).toEqual(ids.toSorted())
    const decisions = entriesOf(await tested.sessions.read(bob)).filter(({ type }) => type === 'approval-decided')
    expect(decisions).toHaveLength(20)
    for (const [child, first] of results.entries()) {
      for (const callId of first)
        expect(decisions).toContainEqual(expect.objectContaining({ callId, reason: `${child}` }))
    }
    expect((await tested.sessions.head(bob))?.openRun).not.toHaveProperty('approvals')
  })

  scenario('overrun no limit', async (tested) => {
    const granted = await inProcesses(tested, 'reserve')
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(30)
    expect((await tested.counters.list()).items).toMatchObject([{ used: 30, reserved: 0 }])
  })

  scenario('undo no change of each other’s', async (tested) => {
    const first = await inProcesses(tested, 'put')
    expect(first.flat().toSorted((a, b) => a - b)).toEqual(numbers(10))
    const items = (await pagesOf((after) => tested.records.list(after))).flat()
    const values = new Map(items.map(({ id, value }) => [id, value]))
    expect(values.get('sum')).toBe(CHILDREN * 10)
    for (const [child, made] of first.entries()) {
      for (const index of made) expect(values.get(`made-${index}`)).toBe(child)
    }
  })
}

/** What the processes found, in their order. All begin at once, when each has opened the store. */
async function inProcesses<J extends Job>({ processes, skip }: Tested, job: J): Promise<readonly Result<J>[]> {
  if (!processes) throw new Error('Give "processes": how another process opens this store, or { none: why none can }.')
  if ('none' in processes) return skip(processes.none)
  const module = /^\w+:\/\//.test(`${processes.module}`)
    ? `${processes.module}`
    : pathToFileURL(`${processes.module}`).href
  const children = numbers(CHILDREN).map(() => fork(program, { execArgv }))
  try {
    const ready = children.map((process, child) =>
      answer(process, { module, argument: processes.argument, job, child } satisfies Task),
    )
    await Promise.all(ready)
    const results = await Promise.all(children.map((process) => answer(process, 'go')))
    return results.map((message) => (message as { readonly result: Result<J> }).result)
  } finally {
    for (const process of children) process.kill('SIGKILL')
  }
}

/** Says something to a process, and waits for what it says next. */
async function answer(process: ChildProcess, message: Task | 'go'): Promise<unknown> {
  const exited = new AbortController()
  const died = () => exited.abort(new Error('A process ended before it was done; what it printed says why.'))
  process.once('exit', died)
  const answered = once(process, 'message', { signal: exited.signal })
  process.send(message)
  const [reply] = await answered
  process.off('exit', died)
  if (typeof reply === 'object' && reply !== null && 'error' in reply) throw new Error(`In a process: ${reply.error}`)
  return reply
}
