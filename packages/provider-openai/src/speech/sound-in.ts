import { badReply } from '../ask-openai.ts'
import type { Asker } from '../openai-client.ts'
import { toProviderError } from '../openai-error.ts'

/** The bytes of a reply while they come; leaving early closes the connection. */
export async function* soundIn(
  { headers, body }: Response,
  asker: Asker,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  // Such as a page, or an error that comes with status 200.
  if (/^(?:text\/|application\/json)/i.test(headers.get('content-type') ?? '')) {
    await body?.cancel().catch(() => {})
    throw badReply(asker, 'it is no sound')
  }
  let isEmpty = true
  try {
    for await (const chunk of body ?? []) {
      isEmpty = false
      yield chunk
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : toProviderError(error, asker)
  }
  if (isEmpty) throw badReply(asker, 'it holds no sound')
}
