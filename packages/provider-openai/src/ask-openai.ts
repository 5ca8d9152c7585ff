import { OrraError } from '@orra/core'
import type { Asker, OpenAIClientOptions } from './openai-client.ts'
import { toProviderError } from './openai-error.ts'

/** Another server than OpenAI's own needs no key, and is not shown the environment's. */
export function askerFor(factory: string, { baseURL }: OpenAIClientOptions): Asker {
  return { provider: 'openai', factory, isForeign: baseURL !== undefined && !isOpenAI(baseURL) }
}

function isOpenAI(url: string): boolean {
  return URL.canParse(url) && /(?:^|\.)openai\.com$/.test(new URL(url).hostname)
}

/** Makes a call that throws only orra's errors, or the signal's reason once that has aborted. */
export async function askOpenAI<Reply>(
  asker: Asker,
  signal: AbortSignal | undefined,
  call: (options: { readonly signal?: AbortSignal }) => Promise<Reply>,
): Promise<Reply> {
  try {
    signal?.throwIfAborted()
    return await call(signal ? { signal } : {})
  } catch (error) {
    throw signal?.aborted ? signal.reason : toProviderError(error, asker)
  }
}

/** `problem` ends a sentence, and holds nothing of the reply's content. */
export function badReply(asker: Asker, problem: string): OrraError<'provider.bad-reply'> {
  const who = asker.isForeign ? 'the server' : 'OpenAI'
  const message = `What ${who} replied to ${asker.factory} cannot be used: ${problem}.`
  return new OrraError('provider.bad-reply', message, { details: { provider: asker.provider } })
}
