import { type ErrorCode, isOrraError, OrraError, toOrraError } from '../errors.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ModelCallOptions, ModelEvent, ModelLimits, ModelRequest, Provider } from '../provider.ts'
import { deniedModels } from './denied-models.ts'
import { once } from './once.ts'
import { wholeReply } from './whole-reply.ts'
import { checkProvider } from './wrap-provider.ts'

export interface FallbackOptions {
  /**
   * The codes after which the next one is asked. @default those that another may not fail with: not a bad request, nor one
   * that is too long
   */
  readonly on?: readonly ErrorCode[]
  /**
   * Whether the next one is asked although something of a reply was said already: then what was said stays said, and a whole
   * reply follows it. @default false
   */
  readonly afterDelta?: boolean
}

const KNOWN = { on: true, afterDelta: true } satisfies OptionNames<FallbackOptions>

/** Failures of one provider that say nothing of another. */
const ANOTHER_MAY_NOT: readonly ErrorCode[] = [
  'provider.rate-limited',
  'provider.unavailable',
  'provider.connection',
  'provider.timeout',
  'provider.auth',
  'provider.unknown-model',
  'provider.unconfigured',
  'provider.bad-reply',
  'provider.denied',
]

/**
 * Asks the first provider, and where that fails the next. Its name and its model are the first's, and a model that a request
 * names is the first's, too: the others are asked for their own. One whose model may not be used, by policies or for what it
 * costs, is left out, and a fallback in a fallback goes by the model of its first; `provider.denied` is thrown where none is
 * left. The response says who answered. What one fails with is thrown as it is; after several the last error is, whose cause
 * holds all of them. Its limits are the smallest that are known, so that what is sent fits each. Throws `options.invalid`.
 *
 * @example
 * const provider = fallback([retry(anthropic({ model: 'claude-sonnet-5' })), openai({ model: 'gpt-5' })])
 */
export function fallback(providers: readonly Provider[], options: FallbackOptions = {}): Provider {
  const [first, ...others] = checkFallback(providers, options)
  const all = [first, ...others]
  const { afterDelta = false } = options
  const on = new Set<ErrorCode>(options.on ?? ANOTHER_MAY_NOT)

  async function* stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncGenerator<ModelEvent, void> {
    const { signal, mayUse } = call
    const connected = once(call.connected)
    const errors: unknown[] = []
    const denied: string[] = []
    for (const provider of all) {
      signal?.throwIfAborted()
      // A provider may be another by the time it is called: it is asked for what was allowed.
      const model = provider === first ? (request.model ?? first.model) : provider.model
      if (mayUse && !mayUse(model, provider.name)) {
        denied.push(model)
        continue
      }
      let isGivenUp = false
      try {
        for await (const event of wholeReply(provider, { ...request, model }, { ...call, connected })) {
          isGivenUp = !afterDelta || event.type === 'finish'
          yield event.type === 'finish' ? { ...event, provider: event.provider ?? provider.name } : event
        }
        return
      } catch (error) {
        signal?.throwIfAborted()
        errors.push(error)
        if (isGivenUp || !isOrraError(error) || !on.has(error.code)) break
      }
    }
    if (errors.length === 0) throw deniedModels(first.name, denied)
    throw lastOf(errors)
  }

  return {
    get name() {
      return first.name
    },
    get model() {
      return first.model
    },
    get limits() {
      return smallestLimits(all)
    },
    mediaTokens(part, model) {
      const known = all.flatMap((each) => each.mediaTokens?.(part, each === first ? model : each.model) ?? [])
      return known.length === 0 ? undefined : Math.max(...known)
    },
    stream,
  }
}

/** The last error as it is, or with all of them as its cause where there are several. */
function lastOf(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0]
  const { code, message, details } = toOrraError(errors.at(-1), 'a provider')
  const retryable = errors.some((error) => isOrraError(error) && error.retryable)
  const cause = new AggregateError(errors, 'Several providers have failed, in this order.')
  return new OrraError(code, message, { details, retryable, cause })
}

function smallestLimits(providers: readonly Provider[]): ModelLimits | undefined {
  const known = providers.flatMap(({ limits }) => limits ?? [])
  if (known.length === 0) return undefined
  return {
    contextWindow: Math.min(...known.map(({ contextWindow }) => contextWindow)),
    maxOutputTokens: Math.min(...known.map(({ maxOutputTokens }) => maxOutputTokens)),
  }
}

function checkFallback(providers: readonly Provider[], options: FallbackOptions): readonly [Provider, ...Provider[]] {
  checkOptions('fallback', options, KNOWN)
  if (!Array.isArray(providers)) throw invalidOption('providers', 'give a list of providers')
  for (const provider of providers as readonly Provider[]) checkProvider('fallback', provider)
  const { on = [], afterDelta = false } = options
  if (!Array.isArray(on) || !on.every((code) => typeof code === 'string' && code.startsWith('provider.'))) {
    throw invalidOption('on', 'give a list of codes, such as provider.rate-limited')
  }
  if (typeof afterDelta !== 'boolean') throw invalidOption('afterDelta', 'it is true or false')
  const [first, ...others] = providers as readonly Provider[]
  if (!first) throw invalidOption('providers', 'there must be one at least')
  return [first, ...others]
}
