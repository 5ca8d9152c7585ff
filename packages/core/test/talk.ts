import type { ScriptStep } from '@orra/conformance'
import { type ModelRequest, type RuntimeOptions, textOf } from '@orra/core'
import { scripted } from './harness.ts'

/** A window in which a few of the turns of `talk` fit. */
export const NARROW = { windowTokens: 2000, outputReserveTokens: 500 } as const

/** Whether a model is asked for a summary. */
export function isSummary({ instructions = '' }: ModelRequest): boolean {
  return instructions.includes('summary')
}

/** What all of a request says, as text. */
export function said({ messages }: ModelRequest): string {
  return messages.map((message) => textOf(message)).join('\n')
}

/** A model that answers and sums up for as long as it is asked, however often; `summary` makes its summaries. */
export function talker(
  options: Partial<RuntimeOptions> = {},
  summary: (request: ModelRequest, count: number) => ReturnType<Extract<ScriptStep, (...args: never[]) => unknown>> = (
    _,
    count,
  ) => `Summary ${count}.`,
) {
  let summaries = 0
  const step: ScriptStep = (request) => {
    if (!isSummary(request)) return `An answer. ${'So it is. '.repeat(20)}`
    summaries += 1
    return summary(request, summaries)
  }
  const { orra, provider } = scripted(Array(500).fill(step), { context: NARROW, ...options })
  return {
    orra,
    provider,
    get summaries() {
      return summaries
    },
    /** The requests that are none for a summary. */
    asked: () => provider.requests.filter((request) => !isSummary(request)),
  }
}

/** A question of some 60 tokens. */
export function question(index: number): string {
  return `Question ${index}? ${'Tell me all about it. '.repeat(10)}`
}
