import { toJson } from '../json.ts'
import type { OpenCall } from '../log/conversation.ts'
import { type ContentPart, isContent } from '../message.ts'
import type { ToolOutput } from '../tool.ts'
import { CALL_WAITS } from './spawn-run.ts'

/** What came of a tool call. */
export interface Outcome {
  readonly content: readonly ContentPart[]
  readonly isError: boolean
}

export const OUTCOME_UNKNOWN =
  'It was begun and then interrupted; nobody knows whether it took effect. Look before you try again.'

/** The run's own end is nobody's tool result. */
export async function orFailure<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | Outcome> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error === CALL_WAITS) throw error
    const text = error instanceof Error ? String(error.message) : ''
    return failure(text.trim() === '' ? 'The tool failed without saying why.' : text)
  }
}

export function succeeded(output: ToolOutput): Outcome {
  const content = typeof output === 'string' ? [{ type: 'text', text: output } as const] : output
  if (!isContent(content)) return failure('The tool returned neither text nor content parts.')
  return { content: toJson(content), isError: false }
}

export function failure(text: string): Outcome {
  return { content: [{ type: 'text', text: toJson(text) }], isError: true }
}

/** Why a call is not gone on with, which says nothing of how far it had come. */
export function refusedCall({ started }: OpenCall, reason: string): Outcome {
  return failure(started ? `${OUTCOME_UNKNOWN} ${reason}` : reason)
}

export function isOutcome(value: object): value is Outcome {
  return 'isError' in value
}
