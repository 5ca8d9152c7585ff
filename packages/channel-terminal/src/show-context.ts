import type { ContextReport } from '@orra/core'
import type { Screen } from './screen.ts'

export function showContext(screen: Screen, context: ContextReport): void {
  const { instructionTokens, toolTokens, messageTokens, budgetTokens } = context
  const total = instructionTokens + toolTokens + messageTokens
  screen.line(`Sent last: about ${total} of ${budgetTokens} tokens`)
  screen.line(`  instructions ${instructionTokens}, tools ${toolTokens}, messages ${messageTokens}`)
  screen.line(`  ${context.sentMessages} messages of ${context.sentTurns} turns`)
  if (context.droppedTurns === 0) screen.line('Dropped: nothing')
  else
    screen.line(
      `Dropped: the ${context.droppedTurns} oldest turns, about ${context.droppedTokens} tokens; they stay in the history`,
    )
}
