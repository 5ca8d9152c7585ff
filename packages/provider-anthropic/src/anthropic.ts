import type Anthropic from '@anthropic-ai/sdk'
import {
  answerByTool,
  type ModelCallOptions,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  type Provider,
  type ToolAnswerRequest,
} from '@orra/core'
import { anthropicClient } from './anthropic-client.ts'
import { toProviderError } from './anthropic-error.ts'
import { type AnthropicOptions, readOptions } from './anthropic-options.ts'
import { toModelResponse } from './from-anthropic-message.ts'
import { mediaTokens } from './media-tokens.ts'
import { outputFormat } from './output-format.ts'
import { noReply, replyAssembler } from './reply-assembler.ts'
import { toAnthropicRequest } from './to-anthropic-request.ts'

/**
 * A Claude model over the Messages API. The key is read when it is first needed, so a program that never calls the
 * model needs none.
 *
 * @example
 * const provider = anthropic({ model: 'claude-sonnet-5' })
 */
export function anthropic(options: AnthropicOptions): Provider {
  const defaults = readOptions('anthropic', options)
  const { model, maxOutputTokens, contextWindow, streaming } = defaults
  const limits: ModelLimits = { contextWindow, maxOutputTokens }
  const client = anthropicClient(options)

  async function* ask(request: ModelRequest | ToolAnswerRequest, { signal, connected }: ModelCallOptions) {
    const body = toAnthropicRequest(request, defaults)
    const call = signal ? { signal } : {}
    try {
      if (!streaming) {
        const message = await client().messages.create(body, call)
        connected?.()
        return yield* inOnePiece(message)
      }
      const reply = replyAssembler()
      const events = await client().messages.create({ ...body, stream: true }, call)
      connected?.()
      for await (const event of events) {
        // One chunk may hold many events.
        signal?.throwIfAborted()
        const delta = reply.take(event)
        if (delta) yield delta
      }
      // The SDK ends an aborted stream as if it were whole.
      signal?.throwIfAborted()
      yield { type: 'finish', ...reply.finish() } satisfies ModelEvent
    } catch (error) {
      throw signal?.aborted ? signal.reason : toProviderError(error)
    }
  }

  function stream(request: ModelRequest, options: ModelCallOptions = {}): AsyncIterable<ModelEvent> {
    const { outputSchema } = request
    if (!outputSchema || outputFormat(outputSchema)) return ask(request, options)
    return answerByTool({ ...request, outputSchema }, (changed) => ask(changed, options))
  }

  return { name: 'anthropic', model, limits, mediaTokens, stream }
}

function* inOnePiece(message: Anthropic.Message): Generator<ModelEvent> {
  // A proxy's page may come with a status that says all is well.
  if (!Array.isArray(message?.content)) throw noReply()
  const response = toModelResponse(message)
  for (const part of response.message.content) {
    if (part.type === 'text') yield { type: 'text-delta', text: part.text }
    else if (part.type === 'reasoning') yield { type: 'reasoning-delta', text: part.text }
  }
  yield { type: 'finish', ...response }
}
