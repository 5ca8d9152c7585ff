// `pnpm bench`: what orra costs beside a loop written by hand, as ratios of client CPU in one run; medians of five.
import { execFile, fork } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const JOBS = ['tool runs', '300 turns', '500 deltas']
const IMPLEMENTATIONS = ['by hand', 'memory', 'sqlite']
const REPEATS = 5

const run = promisify(execFile)
const server = fork(join(import.meta.dirname, 'model-server.ts'))
const port = await new Promise((resolve) => server.once('message', resolve))

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

for (const job of JOBS) {
  const costs = new Map<string, Record<string, number>[]>()
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    // Turn by turn, so that a slow moment of the machine hits all of them.
    for (const implementation of IMPLEMENTATIONS) {
      const client = join(import.meta.dirname, 'client.ts')
      const args = ['--conditions=@orra/source', client, job, implementation, `http://127.0.0.1:${port}`]
      const { stdout } = await run(process.execPath, args)
      costs.set(implementation, [...(costs.get(implementation) ?? []), JSON.parse(stdout)])
    }
  }
  const of = (implementation: string, part: string) =>
    median((costs.get(implementation) ?? []).map((cost) => cost[part] ?? Number.NaN))
  const hand = of('by hand', 'all')
  for (const implementation of IMPLEMENTATIONS) {
    const all = of(implementation, 'all')
    const growth = of(implementation, 'last') / of(implementation, 'first')
    const grown = Number.isNaN(growth) ? '' : `, turns 251–300 to turns 1–50: ${growth.toFixed(2)}`
    console.log(`${job}, ${implementation}: ${all.toFixed(0)} ms, ratio ${(all / hand).toFixed(2)}${grown}`)
  }
}
server.disconnect()
