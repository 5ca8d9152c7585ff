import { OrraError } from '../errors.ts'
import { invalidOption } from '../options.ts'
import type { ModelCallOptions, ModelEvent, ModelRequest, Provider } from '../provider.ts'
import { deniedModels } from './denied-models.ts'
import { checkProvider } from './wrap-provider.ts'

/** What it is called while it has no provider. */
const NAME = 'dynamic'
/** The model that nobody has. */
const NO_MODEL = ''

/** A provider that can be exchanged while it is in use. All that it says of itself is what the present one says. */
export interface DynamicProvider extends Provider {
  /**
   * From now on calls go to this one; to none where that is `undefined`. A call that was begun goes on with the one that it
   * began with. Throws `options.invalid`.
   */
  use(provider: Provider | undefined): void
}

/**
 * Stands for a provider that is not known yet, or that changes: settings that a person edits, a key that comes later. Until
 * there is one its model is `''` and every call throws `provider.unconfigured`. A request that was made for a model of the
 * one before still names that model. Throws `options.invalid`.
 *
 * @example
 * const provider = dynamicProvider()
 * const orra = createRuntime({ provider })
 * provider.use(anthropic({ model: 'claude-sonnet-5', apiKey }))
 */
export function dynamicProvider(initial?: Provider): DynamicProvider {
  let current: Provider | undefined
  const dynamic: DynamicProvider = {
    get name() {
      return current?.name ?? NAME
    },
    get model() {
      return current?.model ?? NO_MODEL
    },
    get limits() {
      return current?.limits
    },
    mediaTokens: (part, model) => current?.mediaTokens?.(part, model),

    use(provider) {
      if (provider !== undefined) checkProvider('dynamicProvider', provider)
      if (provider === dynamic) throw invalidOption('provider', 'a dynamicProvider cannot use itself')
      current = provider
    },

    stream: (request, options = {}) => streamOf(current, request, options),
  }
  dynamic.use(initial)
  return dynamic
}

async function* streamOf(
  provider: Provider | undefined,
  request: ModelRequest,
  options: ModelCallOptions,
): AsyncGenerator<ModelEvent, void> {
  options.signal?.throwIfAborted()
  if (!provider) throw unconfigured()
  for await (const event of provider.stream(requestFor(provider, request, options), options)) {
    // Whoever pays later asks by this name, when another one may be in use.
    yield event.type === 'finish' ? { ...event, provider: event.provider ?? provider.name } : event
  }
}

/** Of a request that was made while there was no provider nobody has asked whether it may use this one's model. */
function requestFor(provider: Provider, request: ModelRequest, { mayUse }: ModelCallOptions): ModelRequest {
  if (request.model !== NO_MODEL) return request
  const { name, model } = provider
  if (mayUse && !mayUse(model, name)) throw deniedModels(name, [model])
  return { ...request, model }
}

function unconfigured(): OrraError<'provider.unconfigured'> {
  const message = 'No provider is configured yet; give one to "use" of the dynamicProvider.'
  return new OrraError('provider.unconfigured', message, { details: { provider: NAME, setting: 'provider' } })
}
