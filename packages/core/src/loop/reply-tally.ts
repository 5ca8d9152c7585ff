import type { PlannedCall } from '../budget/reserved.ts'
import type { LostCall } from '../budget/spend.ts'
import { estimateTextTokens } from '../context/estimate-text.ts'
import { type ErrorCode, isOrraError } from '../errors.ts'
import { isUsage, type ModelEvent, type ModelResponse, NO_USAGE, type Usage } from '../provider.ts'

/** Keeps count of what one model call uses, so that it is known, or estimated on the safe side, however the call ends. */
export interface ReplyTally {
  /** The provider is about to be called. */
  called(): void
  heard(event: ModelEvent): void
  /** The provider has failed by itself. */
  failed(error: unknown): void
  /** Nothing, when the call was not made or was surely refused. Asked at its end. */
  used(): LostCall
}

/** How much more than was seen may have been made: what was on its way, and what the estimate lacks. */
const SEEN_FACTOR = 2
/** What is made while nothing is seen, such as the input of a tool: faster than most models are. */
const SILENT_TOKENS_PER_MS = 0.4

/** Failures before the first event after which nothing is owed; `provider.unavailable` is one where it has a status. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider.auth',
  'provider.rate-limited',
  'provider.unknown-model',
  'provider.bad-request',
  'provider.context-too-long',
  'provider.unconfigured',
  'provider.denied',
])

export function openTally({ provider, model, inputTokens, maxOutputTokens }: PlannedCall): ReplyTally {
  const spent: LostCall = { provider, model, usage: NO_USAGE }
  /** What was seen of the reply, in tokens. */
  let seen = 0
  /** When something was seen last, or when the call began. */
  let lastAt: number | undefined
  let hasCome = false
  let known: LostCall | undefined

  function estimate(outputTokens: number): LostCall {
    const usage: Usage = { ...NO_USAGE, inputTokens, outputTokens: Math.min(Math.ceil(outputTokens), maxOutputTokens) }
    return { ...spent, usage }
  }

  function answered(response: ModelResponse): LostCall {
    const asked = response.model === model ? undefined : model
    const answering = { provider: response.provider ?? provider, askedProvider: provider }
    return { ...answering, model: response.model, asked, usage: response.usage }
  }

  return {
    called() {
      lastAt = performance.now()
    },

    heard(event) {
      hasCome = true
      lastAt = performance.now()
      if (event.type !== 'finish') {
        seen += estimateTextTokens(event.text)
        return
      }
      // Of a reply that says no usage all may have been made that was asked for.
      if (!isUsage(event.usage) || typeof event.model !== 'string') known = estimate(maxOutputTokens)
      else known = answered(event)
    },

    failed(error) {
      if (!hasCome) known = isRefusal(error) ? spent : estimate(0)
    },

    used() {
      if (known || lastAt === undefined) return known ?? spent
      return estimate(SEEN_FACTOR * seen + SILENT_TOKENS_PER_MS * (performance.now() - lastAt))
    },
  }
}

function isRefusal(error: unknown): boolean {
  if (!isOrraError(error)) return false
  // Where several were asked, each of them must have refused.
  if (error.cause instanceof AggregateError) return error.cause.errors.every(isRefusal)
  if (isOrraError(error, 'provider.unavailable')) return error.details.status !== undefined
  return REFUSALS.has(error.code)
}
