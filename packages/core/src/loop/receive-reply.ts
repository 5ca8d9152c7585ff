import { untilAborted } from '../abort.ts'
import { OrraError, toOrraError } from '../errors.ts'
import { toJson } from '../json.ts'
import { type AssistantMessage, isMessageOf } from '../message.ts'
import { isUsage, type ModelRequest, type ModelResponse } from '../provider.ts'
import type { ReplyTally } from './reply-tally.ts'
import { beforeAppend, lastWords, type RunScope } from './run-scope.ts'

/**
 * What the model says, handed on while it comes, and told to the tally. Of a reply that is aborted, the text that was seen
 * is kept.
 */
export async function receiveReply(scope: RunScope, request: ModelRequest, tally: ReplyTally): Promise<ModelResponse> {
  const { services, log, lease, signal, emit } = scope
  let seen = ''
  const reading = async (): Promise<ModelResponse> => {
    signal.throwIfAborted()
    tally.called()
    for await (const event of services.provider.stream(request, { signal })) {
      if (signal.aborted) break
      tally.heard(event)
      if (event.type === 'finish') return checked(event, services.provider.name)
      if (event.type === 'text-delta') seen += event.text
      emit(event)
    }
    signal.throwIfAborted()
    throw badReply(services.provider.name, 'it ended its stream without "finish"')
  }
  try {
    return await untilAborted(reading(), signal)
  } catch (error) {
    if (signal.aborted && !lease.signal.aborted && seen !== '') {
      const partial: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text: toJson(seen) }] }
      const message = await lastWords(scope, (base) => beforeAppend(services.hooks, base, partial))
      await log.append([{ type: 'message', message, stopReason: 'stop' }], lease)
    }
    if (signal.aborted) throw error
    tally.failed(error)
    throw toOrraError(error, `the provider "${services.provider.name}"`)
  }
}

/** A reply that is fit to be kept, sharing nothing with the provider. */
function checked(response: ModelResponse, provider: string): ModelResponse {
  const { message, stopReason, usage, model } = response
  if (!isMessageOf('assistant', message)) throw badReply(provider, 'its message is not whole')
  if (!Object.hasOwn(STOP_REASONS, stopReason)) throw badReply(provider, 'its stop reason is none of those there are')
  if (!isUsage(usage) || typeof model !== 'string') throw badReply(provider, 'it lacks its usage or its model')
  try {
    return { message: toJson(message), stopReason, usage: toJson(usage), model }
  } catch (error) {
    throw badReply(provider, 'its message is not JSON, or nested too deeply', error)
  }
}

const STOP_REASONS: { readonly [Reason in ModelResponse['stopReason']]: true } = {
  stop: true,
  'tool-calls': true,
  length: true,
  refused: true,
}

function badReply(provider: string, problem: string, cause?: unknown): OrraError<'provider.bad-reply'> {
  const message = `The reply of the provider ${provider} cannot be used: ${problem}. It is a fault of the provider's code, or of the model.`
  return new OrraError('provider.bad-reply', message, { details: { provider }, cause })
}
