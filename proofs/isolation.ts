// `pnpm isolation [calls] [--seed n] [--store memory|sqlite|file]`: random public calls of many tenants with hostile names,
// ids, inputs and models, several at once. Tells what any of them has learnt or changed of another; exits 1 when any has.
import { parseArgs } from 'node:util'
import { runIsolation } from './isolation-run.ts'

const MOST_TOLD = 20

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, store: { type: 'string', default: 'memory' } },
})
const { store } = values
const wanted = Number(positionals[0] ?? 100_000)
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
if (!(Number.isInteger(wanted) && wanted > 0 && Number.isInteger(seed) && seed >= 0)) {
  throw new Error('Give how many calls are to be made, and a seed, as whole numbers.')
}
const startedAt = performance.now()
const { calls, made, failed, findings } = await runIsolation({ calls: wanted, seed, store })

for (const [kind, count] of [...made].sort()) say(`  ${kind}: ${count}`)
say(`  refused or failed: ${[...failed].map(([code, count]) => `${count} × ${code}`).join(', ')}`)
const told = Map.groupBy(findings, ({ kind, where }) => `${kind}: ${where}`)
for (const [what, all] of [...told].slice(0, MOST_TOLD)) {
  const [first] = all
  say(`  ${all.length} × ${what}: ${first?.text}`)
  say(`    again: pnpm isolation ${first?.calls} --store ${store} --seed ${first?.seed}`)
}
if (told.size > MOST_TOLD) say(`  and ${told.size - MOST_TOLD} kinds more`)
const broke = findings.filter(({ kind }) => kind === 'broke').length
const leaks = findings.length - broke
const seconds = Math.round((performance.now() - startedAt) / 1000)
say(`${store}: ${calls} calls, ${leaks} leaks, ${broke} broke; ${seconds} s; seed ${seed}`)
if (findings.length > 0) process.exitCode = 1

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
