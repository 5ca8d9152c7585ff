import { untilAborted } from '../abort.ts'
import { badReply } from '../bad-reply.ts'
import { toOrraError } from '../errors.ts'
import { toJson } from '../json.ts'
import { type AssistantMessage, isMessageOf } from '../message.ts'
import { isUsage, type ModelEvent, type ModelRequest, type ModelResponse, type Provider } from '../provider.ts'
import type { ModelDesk } from './may-use-model.ts'
import type { ReplyTally } from './reply-tally.ts'
import { beforeAppend, lastWords, type RunScope } from './run-scope.ts'

/**
 * What the model says to a run, handed on while it comes. Of a reply that is aborted, the text that was seen is kept.
 */
export async function receiveReply(
  scope: RunScope,
  request: ModelRequest,
  tally: ReplyTally,
  mayUse: ModelDesk['mayUse'],
): Promise<ModelResponse> {
  const { services, log, lease, signal, emit } = scope
  let seen = ''
  try {
    return await readReply(services.provider, request, { signal, mayUse }, tally, (event) => {
      if (event.type === 'text-delta') seen += event.text
      emit(event)
    })
  } catch (error) {
    if (signal.aborted && !lease.signal.aborted && seen !== '') {
      const partial: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text: toJson(seen) }] }
      const message = await lastWords(scope, (base) => beforeAppend(services.hooks, base, partial))
      await log.append([{ type: 'message', message, stopReason: 'stop' }], lease)
    }
    throw error
  }
}

interface CallTerms extends Pick<ModelDesk, 'mayUse'> {
  readonly signal: AbortSignal
}

/**
 * What the model says, checked, and told to the tally. Throws the signal's reason as soon as that aborts, and what the
 * provider throws as an error of orra's.
 */
export async function readReply(
  provider: Provider,
  request: ModelRequest,
  { signal, mayUse }: CallTerms,
  tally: ReplyTally,
  heard: (event: Exclude<ModelEvent, { readonly type: 'finish' }>) => void,
): Promise<ModelResponse> {
  const reading = async (): Promise<ModelResponse> => {
    signal.throwIfAborted()
    tally.called()
    for await (const event of provider.stream(request, { signal, mayUse })) {
      if (signal.aborted) break
      tally.heard(event)
      if (event.type === 'finish') return checked(event, provider.name)
      heard(event)
    }
    signal.throwIfAborted()
    throw badReply(provider.name, 'it ended its stream without "finish"')
  }
  try {
    return await untilAborted(reading(), signal)
  } catch (error) {
    if (signal.aborted) throw error
    tally.failed(error)
    throw toOrraError(error, `the provider "${provider.name}"`)
  }
}

/** A reply that is fit to be kept, sharing nothing with the provider. */
function checked(response: ModelResponse, provider: string): ModelResponse {
  const { message, stopReason, usage, model, provider: answering } = response
  if (!isMessageOf('assistant', message)) throw badReply(provider, 'its message is not whole')
  if (!Object.hasOwn(STOP_REASONS, stopReason)) throw badReply(provider, 'its stop reason is none of those there are')
  if (!isUsage(usage) || typeof model !== 'string') throw badReply(provider, 'it lacks its usage or its model')
  if (answering !== undefined && typeof answering !== 'string') throw badReply(provider, 'it names no provider')
  try {
    const whole = { message: toJson(message), stopReason, usage: toJson(usage), model }
    return answering === undefined ? whole : { ...whole, provider: answering }
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
