// `pnpm storm [store…] [--messages N] [--seed S]`: fifty clients send messages to twenty sessions of one store, while the
// processes that answer them are killed and replaced all the time. Tells what each durable store made of it; exits 1 when
// anything was lost, doubled, interleaved or out of order.
import { parseArgs } from 'node:util'
import { OPEN } from './crash-stores.ts'
import type { Wrong } from './storm-log.ts'
import { runStorm, type Storm } from './storm-run.ts'

const WRONGS: readonly Wrong[] = ['lost', 'doubled', 'interleaved', 'out of order']
const TOLD = 20

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { messages: { type: 'string', default: '2000' }, seed: { type: 'string' } },
})
const messages = Number(values.messages)
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

for (const name of positionals.length > 0 ? positionals : Object.keys(OPEN)) {
  const storm = await runStorm(name, { messages, seed, signal: interrupted.signal })
  if (interrupted.signal.aborted) process.exit(130)
  say(lineOf(name, storm))
  const wrong = [...storm.complaints, ...storm.problems.map(({ wrong, text }) => `${wrong}: ${text}`)]
  if (wrong.length === 0) continue
  process.exitCode = 1
  for (const text of wrong.slice(0, TOLD)) say(`  ${text}`)
  if (wrong.length > TOLD) say(`  and ${wrong.length - TOLD} more`)
  say(`  again: pnpm storm ${name} --messages ${messages} --seed ${seed}`)
}

function lineOf(name: string, storm: Storm): string {
  const { sessions, kills, freezes, problems, tookMs, lastedMs, unknown } = storm
  const sorted = [...tookMs].sort((a, b) => a - b)
  const share = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
  const found = WRONGS.map((wrong) => `${problems.filter((problem) => problem.wrong === wrong).length} ${wrong}`)
  const facts = [`${messages} messages`, `${sessions} sessions`, `${kills} kills`, `${freezes} freezes`, ...found]
  const speed = `${Math.round(messages / (lastedMs / 1000))} messages/s, median ${share(0.5)} ms, p95 ${share(0.95)} ms`
  const cut = `${unknown} effects cut off; seed ${seed}`
  return `${name}: ${facts.join(', ')}; ${speed}; ${cut}${troubles('sent again', storm.retries)}${troubles('noticed', storm.noticed)}`
}

function troubles(what: string, counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return ''
  return `; ${what}: ${Array.from(counts, ([code, count]) => `${count} × ${code}`).join(', ')}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
