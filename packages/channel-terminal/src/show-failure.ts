import { isOrraError } from '@orra/core'
import type { Screen } from './screen.ts'

/** What went wrong, in one sentence and without a stack. */
export function showFailure(screen: Screen, error: unknown): void {
  screen.problem(error instanceof Error ? error.message : 'Something failed.')
  if (isOrraError(error) && error.retryable) screen.note('Sending the message again may help.')
}
