import { checkOptions, invalidOption, type OptionNames } from '@orra/core'
import { calcPrice, findProvider } from '@pydantic/genai-prices'

export interface GenaiWindowsOptions {
  /** In whose tables to look, such as `anthropic`. @default in those of whoever the name of the model is known for */
  readonly provider?: string
  /** By name of a model, in tokens: what the tables do not know, or know otherwise. */
  readonly overrides?: { readonly [model: string]: number }
}

const OPTIONS: OptionNames<GenaiWindowsOptions> = { provider: true, overrides: true }

/**
 * Context windows of models, in tokens, from the tables of genai-prices as they were when that package was published; nothing is
 * fetched. For the option `context.windowTokens` of a runtime. Throws `options.invalid`.
 *
 * @example
 * createRuntime({ provider, context: { windowTokens: genaiWindows() } })
 */
export function genaiWindows(options: GenaiWindowsOptions = {}): (model: string) => number | undefined {
  checkOptions('genaiWindows', options, OPTIONS)
  const { provider, overrides = {} } = options
  if (provider !== undefined && findProvider({ providerId: provider }) === undefined) {
    throw invalidOption('provider', 'genai-prices has no provider of this name')
  }
  checkOverrides(overrides)
  return (model) => {
    if (Object.hasOwn(overrides, model)) return overrides[model]
    if (model === '') return undefined
    return calcPrice({}, model, provider === undefined ? {} : { providerId: provider })?.model.context_window
  }
}

function checkOverrides(overrides: { readonly [model: string]: number }): void {
  if (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides)) {
    throw invalidOption('overrides', 'give an object, from names of models to tokens')
  }
  for (const [model, tokens] of Object.entries(overrides)) {
    if (!(Number.isSafeInteger(tokens) && tokens > 0)) {
      throw invalidOption(`overrides.${model}`, 'give a whole number of tokens above 0')
    }
  }
}
