import type { ContextReport, Usage } from '@orra/core'
import type { Screen } from './screen.ts'

/** What a model call was estimated at, and what it really was. */
export interface ShownCall {
  readonly estimatedTokens: number
  readonly usage: Usage
}

/** What would be sent now and what not, and how good the last estimate was. */
export function showContext(screen: Screen, report: ContextReport, last: ShownCall | undefined): void {
  const { estimatedTokens, budgetTokens, instructionTokens, toolTokens, openingTokens, messageTokens } = report
  const filled = Math.round((100 * estimatedTokens) / budgetTokens)
  screen.line(`Context: about ${estimatedTokens} of ${budgetTokens} tokens (${filled} %), for ${report.model}`)
  const opening = openingTokens > 0 ? [`summary and pinned ${openingTokens}`] : []
  const parts = [`instructions ${instructionTokens}`, `tools ${toolTokens}`, ...opening, `messages ${messageTokens}`]
  screen.line(`  ${parts.join(', ')}`)
  screen.line(`  ${report.sentMessages} messages of ${report.sentTurns} turns`)
  for (const line of missing(report)) screen.line(`  ${line}`)
  if (last) screen.line(`Last call: estimated at ${last.estimatedTokens} tokens, ${usageInWords(last.usage)}`)
}

/** What is not sent as it was said. It all stays in the history. */
function missing(report: ContextReport): readonly string[] {
  const { compactedTurns, droppedTurns, droppedResults, clippedResults, squeezedMessages } = report
  const lines = [
    ...(compactedTurns > 0 ? [`${counted(compactedTurns, 'turn')} summed up`] : []),
    ...(droppedTurns > 0 ? [`${counted(droppedTurns, 'oldest turn')} dropped`] : []),
    ...(droppedResults > 0 ? [`${counted(droppedResults, 'tool result')} left out`] : []),
    ...(clippedResults > 0 ? [`${counted(clippedResults, 'tool result')} clipped`] : []),
    ...(squeezedMessages > 0 ? [`${counted(squeezedMessages, 'message')} shortened`] : []),
  ]
  return lines.length > 0 ? lines : ['nothing is left out']
}

function usageInWords({ inputTokens, cacheReadTokens }: Usage): string {
  if (inputTokens === 0) return 'and nobody counted it'
  const hit = Math.round((100 * cacheReadTokens) / inputTokens)
  return `and was ${inputTokens}, ${hit} % of them from the cache`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
