import { pause } from '../abort.ts'
import { isOrraError } from '../errors.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ModelCallOptions, ModelEvent, ModelRequest, Provider } from '../provider.ts'
import { LONGEST_TIMEOUT_MS } from '../tool.ts'
import { once } from './once.ts'
import { type RetryBudgetOptions, retryBudget } from './retry-budget.ts'
import { wholeReply } from './whole-reply.ts'
import { checkProvider, wrapProvider } from './wrap-provider.ts'

export interface RetryOptions {
  /** How often one call is made again. @default 2 */
  readonly maxRetries?: number
  /** The longest wait before the first retry, in milliseconds; it doubles with each one. @default 500 */
  readonly baseMs?: number
  /** The longest wait before any, in milliseconds. @default 20,000 */
  readonly maxMs?: number
  /** How often all calls together are made again. */
  readonly budget?: RetryBudgetOptions
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number
  /** Waits, and no longer than until the signal aborts. @default by a timer */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

const KNOWN = {
  maxRetries: true,
  baseMs: true,
  maxMs: true,
  budget: true,
  random: true,
  sleep: true,
} satisfies OptionNames<RetryOptions>

const BUDGET_KNOWN = { retries: true, perReply: true } satisfies OptionNames<RetryBudgetOptions>

/**
 * Makes a call again that failed with an error that is `retryable`, before anything of its reply was said. Waits a random
 * part of a time that doubles (full jitter), and besides that as long as the provider asks for; where that is longer than
 * `maxMs`, the error is thrown at once. Throws the last error as it is, the signal's reason as soon as it aborts, and
 * `options.invalid`. What failed tries used is in no usage.
 *
 * @example
 * const provider = retry(anthropic({ model: 'claude-sonnet-5' }), { maxRetries: 3 })
 */
export function retry(provider: Provider, options: RetryOptions = {}): Provider {
  checkRetry(provider, options)
  const { maxRetries = 2, baseMs = 500, maxMs = 20_000, random = Math.random, sleep = pause } = options
  const budget = retryBudget(options.budget)

  /** How long to wait before a call is made again; `undefined` where it is not. */
  function waitMs(error: unknown, retries: number): number | undefined {
    if (!isOrraError(error) || !error.retryable || retries >= maxRetries) return undefined
    const askedMs = retryAfterMsOf(error)
    if (askedMs > maxMs || !budget.take()) return undefined
    return Math.min(maxMs, askedMs + random() * Math.min(maxMs, baseMs * 2 ** retries))
  }

  async function* stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncGenerator<ModelEvent, void> {
    const { signal = new AbortController().signal } = call
    const connected = once(call.connected)
    for (let retries = 0; ; retries += 1) {
      signal.throwIfAborted()
      let hasSpoken = false
      try {
        for await (const event of wholeReply(provider, request, { ...call, connected })) {
          hasSpoken = true
          if (event.type === 'finish') budget.earn()
          yield event
        }
        return
      } catch (error) {
        signal.throwIfAborted()
        const ms = hasSpoken ? undefined : waitMs(error, retries)
        if (ms === undefined) throw error
        await sleep(ms, signal)
      }
    }
  }

  return wrapProvider(provider, stream)
}

function retryAfterMsOf(error: unknown): number {
  if (!isOrraError(error, 'provider.rate-limited', 'provider.unavailable')) return 0
  const { retryAfterMs = 0 } = error.details
  return Number.isNaN(retryAfterMs) ? 0 : Math.max(retryAfterMs, 0)
}

function checkRetry(provider: Provider, options: RetryOptions): void {
  checkProvider('retry', provider)
  checkOptions('retry', options, KNOWN)
  const { maxRetries = 2, baseMs = 500, maxMs = 20_000, budget = {}, random, sleep } = options
  if (!(Number.isInteger(maxRetries) && maxRetries >= 0)) throw invalidOption('maxRetries', 'give a whole number')
  for (const [name, ms] of Object.entries({ baseMs, maxMs })) {
    if (Number.isFinite(ms) && ms >= 0 && ms <= LONGEST_TIMEOUT_MS) continue
    throw invalidOption(name, 'give milliseconds, from 0 to about 24 days')
  }
  checkOptions('"budget"', budget, BUDGET_KNOWN)
  for (const [name, value] of Object.entries({ retries: 0, perReply: 0, ...budget })) {
    if (Number.isFinite(value) && value >= 0) continue
    throw invalidOption(name, 'give a number, 0 or more')
  }
  for (const [name, value] of Object.entries({ random, sleep })) {
    if (value !== undefined && typeof value !== 'function') throw invalidOption(name, 'give a function')
  }
}
