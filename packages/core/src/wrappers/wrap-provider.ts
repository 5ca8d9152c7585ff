import { invalidOption } from '../options.ts'
import type { Provider } from '../provider.ts'

/** A provider that says of itself what another one says of itself at that moment, and streams in its own way. */
export function wrapProvider(provider: Provider, stream: Provider['stream']): Provider {
  return {
    get name() {
      return provider.name
    },
    get model() {
      return provider.model
    },
    get limits() {
      return provider.limits
    },
    mediaTokens: (part, model) => provider.mediaTokens?.(part, model),
    stream,
  }
}

/** Throws `options.invalid` for what is no provider. */
export function checkProvider(taker: string, provider: Provider): void {
  if (typeof provider?.stream === 'function') return
  throw invalidOption('provider', `${taker} takes a provider, such as anthropic({ model })`)
}
