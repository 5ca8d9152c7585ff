import {
  answerByTool,
  type ModelCallOptions,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  type Provider,
  type ToolAnswerRequest,
} from '@orra/core'
import { askerFor } from './ask-openai.ts'
import { mediaTokens } from './media-tokens.ts'
import { mayFormat } from './model-family.ts'
import { type Asker, openaiClient } from './openai-client.ts'
import { toProviderError } from './openai-error.ts'
import { type OpenAIOptions, readOpenAIOptions } from './openai-options.ts'
import { cutShort } from './responses/broken-reply.ts'
import { toModelResponse } from './responses/from-response.ts'
import { type LeftOut, sendPlainer } from './responses/plainer-request.ts'
import { replyAssembler } from './responses/reply-assembler.ts'
import { toResponsesRequest } from './responses/to-responses-request.ts'

/** Room kept free for a reply whose length is the model's own. */
const REPLY_TOKENS = 16_000

/**
 * An OpenAI model over the Responses API. The key is read when it is first needed, so a program that never calls the model
 * needs none. With the `baseURL` of another server nothing of the environment is sent, and the option `apiKey` is needed.
 *
 * @example
 * const provider = openai({ model: 'gpt-5.2' })
 */
export function openai(options: OpenAIOptions): Provider {
  const defaults = readOpenAIOptions(options)
  const { model, contextWindow, maxOutputTokens = REPLY_TOKENS, streaming } = defaults
  const limits: ModelLimits = { contextWindow, maxOutputTokens }
  const asker: Asker = { ...askerFor('openai', options), needsKey: true }
  const client = openaiClient(options, asker)

  async function* ask(request: ModelRequest | ToolAnswerRequest, { signal, connected }: ModelCallOptions) {
    const asked = request.model ?? model
    const make = (leftOut: LeftOut) => toResponsesRequest(request, defaults, leftOut)
    const call = signal ? { signal } : {}
    let hasBegun = false
    try {
      signal?.throwIfAborted()
      if (!streaming) {
        const response = await sendPlainer(make, (body) => client().responses.create(body, call).asResponse())
        connected?.()
        return yield* inOnePiece(await response.json(), asked)
      }
      const events = await sendPlainer(make, (body) => client().responses.create({ ...body, stream: true }, call))
      connected?.()
      const reply = replyAssembler(asked)
      for await (const event of events) {
        hasBegun = true
        // One chunk may hold many events.
        signal?.throwIfAborted()
        yield* reply.take(event)
        // Whatever becomes of the connection now, the reply is there.
        if (reply.isDone()) break
      }
      // The SDK ends an aborted stream as if it were whole.
      signal?.throwIfAborted()
      yield { type: 'finish', ...reply.finish() } satisfies ModelEvent
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      // What ends in the middle of an event leaves half of one, which the SDK takes for broken JSON.
      throw hasBegun && error instanceof SyntaxError ? cutShort() : toProviderError(error, asker)
    }
  }

  function stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncIterable<ModelEvent> {
    const { outputSchema } = request
    if (!outputSchema || mayFormat(request.model ?? model)) return ask(request, call)
    return answerByTool({ ...request, outputSchema }, (withTool) => ask(withTool, call))
  }

  return { name: 'openai', model, limits, mediaTokens, stream }
}

function* inOnePiece(reply: unknown, asked: string): Generator<ModelEvent> {
  const response = toModelResponse(reply, asked)
  for (const { type, text } of response.message.content.filter((part) => part.type !== 'tool-call')) {
    if (text !== '') yield { type: type === 'text' ? 'text-delta' : 'reasoning-delta', text }
  }
  yield { type: 'finish', ...response }
}
