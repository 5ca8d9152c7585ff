// `pnpm crash [store…] [--at point] [--seed number]`: kills an application at everything that it does, once for each, on every
// durable store, and tells what did not survive. Exits 1 when something did not.
import { parseArgs } from 'node:util'
import { type CrashProblemKind, type CrashReport, crashEverywhere } from '@orra/conformance'
import { newPlace } from './crash-places.ts'
import { OPEN } from './crash-stores.ts'

/** Points of one store that are told in full. */
const MOST_TOLD = 10

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { at: { type: 'string' }, seed: { type: 'string', default: '1' } },
})
const names = positionals.length > 0 ? positionals : Object.keys(OPEN)
for (const name of names) if (!(await survives(name))) process.exitCode = 1

async function survives(name: string): Promise<boolean> {
  const found = new Map<CrashProblemKind, number>([
    ['lost', 0],
    ['doubled', 0],
    ['stuck', 0],
  ])
  const wrong: string[] = []
  let crashes = 0
  const at = values.at !== undefined && /^\d+$/.test(values.at) ? Number(values.at) : values.at
  const module = new URL('./crash-app.ts', import.meta.url)
  for await (const report of crashEverywhere({ module, place: () => newPlace(name), at, seed: Number(values.seed) })) {
    if (report.reached) crashes += 1
    for (const { kind } of report.problems) found.set(kind, (found.get(kind) ?? 0) + 1)
    if (report.problems.length > 0) wrong.push(told(name, report))
  }
  const counts = Array.from(found, ([kind, count]) => `${count} ${kind}`)
  print(`${name}: ${[`${crashes} crash points`, ...counts].join(', ')}`)
  for (const text of wrong.slice(0, MOST_TOLD)) print(text)
  if (wrong.length > MOST_TOLD) print(`  and ${wrong.length - MOST_TOLD} more`)
  return crashes > 0 && wrong.length === 0
}

function told(name: string, { point, step, again, problems }: CrashReport): string {
  const twice = again === undefined ? '' : `, and again at step ${again} after that`
  const repeat = point === 0 ? '' : `; to repeat: pnpm crash ${name} --at '${step}' --seed ${values.seed}`
  const lines = problems.map(({ kind, problem }) => `    ${kind}: ${problem}`)
  return [`  point ${point}, ${step}${twice}${repeat}`, ...lines].join('\n')
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
