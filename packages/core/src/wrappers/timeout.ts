import { linkAbort, untilAborted } from '../abort.ts'
import { OrraError } from '../errors.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ModelCallOptions, ModelEvent, ModelRequest, Provider } from '../provider.ts'
import { LONGEST_TIMEOUT_MS } from '../tool.ts'
import { openDeadlines, type Phase } from './deadlines.ts'
import { checkProvider, wrapProvider } from './wrap-provider.ts'

/** In milliseconds, from 1 to about 24 days. */
export interface TimeoutOptions {
  /** Until the provider has begun to answer; where it does not tell, until its first event. @default no limit */
  readonly connectMs?: number
  /** Until the first event, from the beginning of the call on. @default no limit */
  readonly firstTokenMs?: number
  /**
   * Until the next event. What a model says to a tool comes without deltas, so it must be long enough to write a whole
   * input; and so must `firstTokenMs`, for a reply may begin with one. @default no limit
   */
  readonly betweenTokensMs?: number
  /** Until the last event, however long whoever listens takes. @default no limit */
  readonly totalMs?: number
}

const KNOWN = {
  connectMs: true,
  firstTokenMs: true,
  betweenTokensMs: true,
  totalMs: true,
} satisfies OptionNames<TimeoutOptions>

/**
 * Cuts off a call that takes too long: the provider's signal is aborted, and `provider.timeout` is thrown at once, whether
 * the provider heeds its signal or not. The caller's own signal aborts it like ever, with its reason. Throws `options.invalid`.
 *
 * @example
 * const provider = timeout(anthropic({ model: 'claude-sonnet-5' }), { connectMs: 10_000, totalMs: 600_000 })
 */
export function timeout(provider: Provider, options: TimeoutOptions): Provider {
  checkTimeout(provider, options)
  const { connectMs, firstTokenMs, betweenTokensMs, totalMs } = options
  const limits = {
    connect: connectMs,
    'first-token': firstTokenMs,
    'between-tokens': betweenTokensMs,
    total: totalMs,
  }

  async function* stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncGenerator<ModelEvent, void> {
    using link = linkAbort(call.signal)
    const { signal } = link
    using deadlines = openDeadlines(limits, (phase, afterMs) => link.abort(tookTooLong(provider.name, phase, afterMs)))
    const connected = () => {
      deadlines.stop('connect')
      call.connected?.()
    }
    signal.throwIfAborted()
    deadlines.start('connect', 'first-token', 'total')
    const events = provider.stream(request, { ...call, signal, connected })[Symbol.asyncIterator]()
    let isOpen = true
    let isWhole = false
    try {
      for (;;) {
        const { done, value: event } = await untilAborted(events.next(), signal)
        isOpen = !done
        if (done) return
        isWhole = event.type === 'finish'
        deadlines.stop('connect', 'first-token', 'between-tokens', ...(isWhole ? (['total'] as const) : []))
        yield event
        if (isWhole) return
        signal.throwIfAborted()
        deadlines.start('between-tokens')
      }
    } catch (error) {
      isOpen = signal.aborted
      throw error
    } finally {
      if (isOpen) await close(events, isWhole || signal.aborted)
    }
  }

  return wrapProvider(provider, stream)
}

/** One that has said all, or was cut off, may never come to its end; nobody waits for that, or hears how it fails. */
async function close(events: AsyncIterator<ModelEvent>, isOver: boolean): Promise<void> {
  const closing = (async () => events.return?.())()
  if (isOver) closing.catch(() => {})
  else await closing
}

function tookTooLong(provider: string, phase: Phase, afterMs: number): OrraError<'provider.timeout'> {
  const message = `The provider ${provider} took longer than ${afterMs} ms (${phase}), so its call was cut off.`
  return new OrraError('provider.timeout', message, { details: { provider, phase, afterMs } })
}

function checkTimeout(provider: Provider, options: TimeoutOptions): void {
  checkProvider('timeout', provider)
  checkOptions('timeout', options, KNOWN)
  for (const [name, ms] of Object.entries(options)) {
    if (ms === undefined || (Number.isFinite(ms) && ms >= 1 && ms <= LONGEST_TIMEOUT_MS)) continue
    throw invalidOption(name, 'give milliseconds, from 1 to about 24 days')
  }
}
