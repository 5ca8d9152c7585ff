import type { Usage, UsageReport } from '@orra/core'
import type { Screen } from './screen.ts'

const USD = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 6 })

/** What was used, as a sum and by model and tool. Dollars only where a price is known. */
export function showUsage(screen: Screen, report: UsageReport): void {
  const { runs, usage, usd, unpricedCalls, cutOffCalls, models, tools } = report
  const price = unpricedCalls === 0 ? [USD.format(usd)] : usd > 0 ? [`at least ${USD.format(usd)}`] : []
  screen.line(`Today: ${[counted(runs, 'run'), tokensInWords(usage), ...price].join(', ')}`)
  const { cacheReadTokens, cacheWriteTokens } = usage
  if (cacheReadTokens + cacheWriteTokens > 0) {
    const hit = Math.round((100 * cacheReadTokens) / usage.inputTokens)
    screen.line(
      `  of the input, ${cacheReadTokens} (${hit} %) were read from the cache and ${cacheWriteTokens} written to it`,
    )
  }
  for (const [model, part] of Object.entries(models)) {
    const dollars = part.usd > 0 ? [USD.format(part.usd)] : []
    screen.line(`  ${[`${model}: ${counted(part.calls, 'call')}`, tokensInWords(part.usage), ...dollars].join(', ')}`)
  }
  for (const [tool, { calls }] of Object.entries(tools)) screen.line(`  ${tool}: ${counted(calls, 'call')}`)
  if (cutOffCalls > 0) screen.line(`  ${counted(cutOffCalls, 'model call')} cut off, with estimated tokens`)
  if (unpricedCalls > 0) screen.line(`  of ${counted(unpricedCalls, 'model call')} nobody knows the price`)
}

function tokensInWords({ inputTokens, outputTokens }: Usage): string {
  return `${inputTokens} tokens in and ${outputTokens} out`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
