// `pnpm tokens`: how far the estimate of a text's tokens is from what o200k_base makes of it: whole texts, the half that
// was held out of fitting, windows of 200 tokens, totals of a conversation before and after a real count is known.
import { readCorpus } from './tokens/corpus.ts'
import { errorOf, sumOf } from './tokens/count.ts'
import { median, reportOn, reportOnMixture } from './tokens/report.ts'
import { measureSpeed } from './tokens/speed.ts'

const COLUMNS = [20, 7, 10, 8, 10, 18, 18, 18]

const texts = readCorpus()
const reports = texts.map(reportOn)
const mixture = reportOnMixture(texts)

row('', 'real', 'estimate', 'error', 'held out', '200 tokens', 'totals', 'anchored')
for (const { name, whole, heldOut, windows, totals } of reports) {
  const { real, estimated } = whole
  const ends = [signed(errorOf(heldOut)), spread(windows), spread(totals.plain), spread(totals.anchored)]
  row(name, `${real}`, `${estimated}`, signed(errorOf(whole)), ...ends)
}
const all = sumOf(reports.map(({ whole }) => whole))
row('all texts', `${all.real}`, `${all.estimated}`, signed(errorOf(all)))
row('taking turns', '', '', '', '', '', spread(mixture.plain), spread(mixture.anchored))

say('')
tell(
  'whole texts',
  reports.map(({ whole }) => Math.abs(errorOf(whole))),
)
tell(
  'held-out halves of texts',
  reports.map(({ heldOut }) => Math.abs(errorOf(heldOut))),
)
tell(
  'windows of 200 tokens',
  reports.flatMap(({ windows }) => windows),
)
tell(
  'totals of a conversation',
  reports.flatMap(({ totals }) => totals.plain),
)
tell(
  'totals after anchoring',
  reports.flatMap(({ totals }) => totals.anchored),
)
const { estimate, byteLength } = measureSpeed(texts)
const ratio = (byteLength / estimate).toFixed(1)
say(`speed: ${estimate.toFixed(0)} MB/s; Buffer.byteLength ${byteLength.toFixed(0)} MB/s, ${ratio} times as fast`)

function tell(what: string, errors: readonly number[]): void {
  say(`${what}: median error ${percent(median(errors))}, worst ${percent(Math.max(...errors))}`)
}

function spread(errors: readonly number[]): string {
  return `${percent(median(errors))} – ${percent(Math.max(...errors))}`
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function row(name: string, ...cells: readonly string[]): void {
  say(name.padEnd(COLUMNS[0] ?? 0) + cells.map((cell, index) => cell.padStart(COLUMNS[index + 1] ?? 0)).join(''))
}

function say(line: string): void {
  process.stdout.write(`${line.trimEnd()}\n`)
}
