import { badReply } from '../bad-reply.ts'
import type { ModelCallOptions, ModelEvent, ModelRequest, Provider } from '../provider.ts'

/** What a provider says, up to `finish`. Throws `provider.bad-reply` where that never comes. */
export async function* wholeReply(
  provider: Provider,
  request: ModelRequest,
  options: ModelCallOptions,
): AsyncGenerator<ModelEvent, void> {
  for await (const event of provider.stream(request, options)) {
    yield event
    if (event.type === 'finish') return
  }
  throw badReply(provider.name, 'it ended its stream without "finish"')
}
