import { onAbort } from '../abort.ts'
import type { Namespace } from '../namespace.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import { fairQueue } from './fair-queue.ts'
import { refillBucket } from './refill-bucket.ts'
import { POLL_MS, type SharedQuotaOptions, type SharedTurn, sharedQuota } from './shared-quota.ts'

/**
 * What a provider lets one account use of a model, shared fairly among tenants: while it is short, each that waits gets
 * its share, and one that floods waits behind itself. In no minute goes more than a sixth above the quota, besides what
 * one call is larger than that and what earlier calls turn out not to have used.
 */
export interface ModelQuota {
  /**
   * Waits for a turn to make a model call of about so many tokens: what is sent, and as much as replies have been lately.
   * A call that is larger than the quota gets a turn, too, when nothing else is going on. Throws the signal's reason, and what the store throws where the quota is shared.
   */
  enter(namespace: Namespace, tokens: number, signal: AbortSignal): Promise<QuotaTurn>
}

export interface QuotaTurn {
  /** What it really used, once; 0 for a call that was not made. Without it, it is what was asked for. */
  settle(tokens: number): void
}

export interface ModelQuotaOptions {
  /** @default no limit */
  readonly requestsPerMinute?: number
  /** Sent and made together. @default no limit */
  readonly tokensPerMinute?: number
  /** Whose share a call is taken from. @default the first two segments, such as `tenant:acme` */
  readonly tenantOf?: (namespace: Namespace) => string
  /** Who has twice as much gets twice as much; above 0. @default 1 for all */
  readonly weightOf?: (tenant: string) => number
  /**
   * Counts in a store besides, so that several processes stay within the quota together: in each minute of the clock. Who
   * comes next is fair within each process. @default this process has the quota for itself
   */
  readonly shared?: SharedQuotaOptions
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

interface Waiter {
  readonly tokens: number
  readonly signal: AbortSignal
  resolve(turn: QuotaTurn): void
  reject(reason: unknown): void
}

const KNOWN = {
  requestsPerMinute: true,
  tokensPerMinute: true,
  tenantOf: true,
  weightOf: true,
  shared: true,
  now: true,
} satisfies OptionNames<ModelQuotaOptions>

/** How long a timer waits at most, in milliseconds: it takes no more than 31 bits, and a clock may be set. */
const LONGEST_WAIT_MS = 60_000

/** Throws `options.invalid`. Holds no timer while nobody waits. */
export function modelQuota(options: ModelQuotaOptions): ModelQuota {
  checkQuota(options)
  const { requestsPerMinute, tokensPerMinute, shared, now = Date.now } = options
  const { tenantOf = firstTwoSegments, weightOf = () => 1 } = options
  const requests = requestsPerMinute === undefined ? undefined : refillBucket(requestsPerMinute, 1, now)
  const amounts = tokensPerMinute === undefined ? undefined : refillBucket(tokensPerMinute, 1, now)
  const others = shared && sharedQuota(shared, { requests: requestsPerMinute, tokens: tokensPerMinute }, now)
  const queue = fairQueue<Waiter>()
  let timer: NodeJS.Timeout | undefined
  let isAsking = false
  /** Until when the store need not be asked again. */
  let closedUntil = 0

  /** The larger part of the two quotas. */
  const costOf = (tokens: number) =>
    Math.max(requestsPerMinute ? 1 / requestsPerMinute : 0, tokensPerMinute ? Math.max(1, tokens) / tokensPerMinute : 0)

  const waitMs = ({ tokens }: Waiter) =>
    Math.max(requests?.waitMs(1) ?? 0, amounts?.waitMs(tokens) ?? 0, Math.min(closedUntil - now(), POLL_MS))

  function letThrough(): void {
    clearTimeout(timer)
    while (!isAsking) {
      const waiter = queue.first()
      if (!waiter) return
      const ms = waitMs(waiter)
      if (ms > 0) {
        timer = setTimeout(letThrough, Math.min(ms, LONGEST_WAIT_MS))
        return
      }
      if (others) void askOthers(waiter, others.reserve(waiter.tokens, waiter.signal))
      else pass(waiter)
    }
  }

  async function askOthers(waiter: Waiter, asked: Promise<SharedTurn>): Promise<void> {
    isAsking = true
    try {
      const turn = await asked
      if (!turn.granted) closedUntil = now() + turn.retryAfterMs
      else if (waiter.signal.aborted) turn.settle(0)
      else pass(waiter, turn.settle)
    } catch (error) {
      queue.delete(waiter)
      waiter.reject(error)
    }
    isAsking = false
    letThrough()
  }

  function pass(waiter: Waiter, settleShared?: (tokens: number) => void): void {
    queue.pass(waiter)
    requests?.take(1)
    amounts?.take(waiter.tokens)
    let isSettled = false
    waiter.resolve({
      settle(tokens) {
        const used = checkTokens(tokens)
        if (isSettled) return
        isSettled = true
        settleShared?.(used)
        amounts?.giveBack(waiter.tokens - used)
        letThrough()
      },
    })
  }

  return {
    async enter(namespace, tokens, signal) {
      signal.throwIfAborted()
      const tenant = tenantOf(namespace)
      const share = { cost: costOf(checkTokens(tokens)), weight: checkWeight(weightOf(tenant)) }
      const { promise, resolve, reject } = Promise.withResolvers<QuotaTurn>()
      const waiter = { tokens: checkTokens(tokens), signal, resolve, reject }
      using _ = onAbort(signal, () => {
        queue.delete(waiter)
        reject(signal.reason)
        letThrough()
      })
      queue.add(tenant, waiter, share)
      letThrough()
      return await promise
    },
  }
}

function firstTwoSegments({ key }: Namespace): string {
  return key.split(':', 2).join(':')
}

function checkQuota(options: ModelQuotaOptions): void {
  checkOptions('modelQuota', options, KNOWN)
  const { requestsPerMinute, tokensPerMinute } = options
  if (requestsPerMinute === undefined && tokensPerMinute === undefined) {
    throw invalidOption('tokensPerMinute', 'modelQuota needs it, or "requestsPerMinute", or both')
  }
  for (const [name, value] of Object.entries({ requestsPerMinute, tokensPerMinute })) {
    if (value === undefined || (Number.isFinite(value) && value >= 1)) continue
    throw invalidOption(name, 'it is a number, 1 or more')
  }
}

function checkWeight(weight: number): number {
  if (Number.isFinite(weight) && weight > 0) return weight
  throw invalidOption('weightOf', 'it gives a number above 0 for each tenant')
}

function checkTokens(tokens: number): number {
  if (Number.isFinite(tokens) && tokens >= 0) return Math.ceil(tokens)
  throw invalidOption('tokens', 'it is a number, 0 or more')
}
