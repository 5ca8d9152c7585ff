import { OrraError } from './errors.ts'

/** What a provider says that breaks the protocol. */
export function badReply(provider: string, problem: string, cause?: unknown): OrraError<'provider.bad-reply'> {
  const message = `The reply of the provider ${provider} cannot be used: ${problem}. It is a fault of the provider's code, or of the model.`
  return new OrraError('provider.bad-reply', message, { details: { provider }, cause })
}
