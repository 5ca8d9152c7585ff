import { type ContextReport, isOrraError, type RunEvent, textOf } from '@orra/core'
import type { Screen } from './screen.ts'

/** What is shown of a tool's input or error; the rest is in the log. */
const LONGEST_DETAIL = 100

/** Shows one event of a run. */
export function showEvent(screen: Screen, event: RunEvent): void {
  switch (event.type) {
    case 'waiting':
      screen.note('This conversation is in use elsewhere, or was interrupted; waiting …')
      break
    case 'text-delta':
      screen.write(event.text)
      break
    case 'tool-call-start':
      screen.note(`→ ${event.tool} ${shortened(JSON.stringify(event.input))}`)
      break
    case 'tool-call-progress':
      screen.note(`  ${event.tool}: ${event.message}`)
      break
    case 'tool-call-end':
      if (event.isError) screen.note(`✗ ${event.tool}: ${shortened(textOf(event.content))}`)
      else screen.note(`✓ ${event.tool} (${Math.round(event.durationMs)} ms)`)
      break
    case 'model-call-end':
      screen.endLine()
      break
    case 'run-end':
      screen.endLine()
      showEnd(screen, event)
      break
    default:
      break
  }
}

function showEnd(screen: Screen, { reason, denial }: Extract<RunEvent, { type: 'run-end' }>): void {
  if (reason === 'aborted') screen.note('(stopped)')
  if (reason === 'length') screen.note('(the reply reached its limit)')
  if (reason === 'max-turns') screen.note('(stopped after as many steps as one message may take)')
  if (reason === 'denied') screen.problem(denial ?? 'This was denied.')
}

/** What went wrong, in one sentence and without a stack. */
export function showFailure(screen: Screen, error: unknown): void {
  screen.problem(error instanceof Error ? error.message : 'Something failed.')
  if (isOrraError(error) && error.retryable) screen.note('Sending the message again may help.')
}

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

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > LONGEST_DETAIL ? `${line.slice(0, LONGEST_DETAIL)}…` : line
}
