import type { Message, ModelEvent, Provider } from '@orra/core'
import type { Journal } from './journal.ts'
import type { Steps } from './steps.ts'

/** The provider, with steps before a call, after its first delta and at its end, and a witness of requests that are not legal. */
export function steppedProvider(provider: Provider, steps: Steps, journal: Journal): Provider {
  const { name, model, limits, mediaTokens } = provider
  return {
    name,
    model,
    ...(limits ? { limits } : {}),
    ...(mediaTokens ? { mediaTokens } : {}),
    async *stream(request, options): AsyncGenerator<ModelEvent> {
      for (const problem of illegalities(request.messages)) journal.write({ type: 'illegal-request', problem })
      const at = steps.next('model call')
      at('before')
      let deltas = 0
      for await (const event of provider.stream(request, options)) {
        if (event.type === 'finish') at('at the end of')
        yield event
        if (event.type !== 'finish' && deltas++ === 0) at('in the middle of')
      }
    },
  }
}

/** What no model takes: a conversation that no user began, a call that its result does not follow, a result without its call. */
function illegalities(messages: readonly Message[]): readonly string[] {
  const wrong: string[] = []
  const open = new Set<string>()
  if (messages[0]?.role !== 'user') wrong.push('it does not begin with a user message')
  for (const { role, content } of messages) {
    if (role !== 'tool' && open.size > 0) wrong.push(`a message of the ${role} comes before the result of a call`)
    for (const part of content) {
      if (part.type === 'tool-call') open.add(part.callId)
      if (part.type === 'tool-result' && !open.delete(part.callId)) wrong.push('a result has no call')
    }
  }
  if (open.size > 0) wrong.push('it ends with calls that have no result')
  return wrong
}
