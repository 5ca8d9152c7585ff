import { OrraError } from '../errors.ts'

/** Nothing that a provider could ask may be used. */
export function deniedModels(provider: string, models: readonly string[]): OrraError<'provider.denied'> {
  const named = models.map((model) => `"${model}"`).join(', ')
  const message = `The provider ${provider} may use none of its models here: policies or limits are against ${named}.`
  return new OrraError('provider.denied', message, { details: { provider, models } })
}
