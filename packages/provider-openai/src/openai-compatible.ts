import {
  answerByTool,
  type ModelCallOptions,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  type Provider,
  type ToolAnswerRequest,
} from '@orra/core'
import { readChatReply } from './chat/read-chat-reply.ts'
import { toChatRequest } from './chat/to-chat-request.ts'
import { type OpenAICompatibleOptions, readCompatibleOptions } from './compatible-options.ts'
import { type Asker, openaiClient } from './openai-client.ts'
import { toProviderError } from './openai-error.ts'

/**
 * A model behind any server that speaks Chat Completions: Ollama, vLLM, LM Studio, llama.cpp, OpenRouter, Groq, Mistral and many
 * more. They differ from the API's documents in many small ways, which are mended, or told as a typed error.
 *
 * @example
 * const provider = openaiCompatible({ baseURL: 'http://localhost:11434/v1', model: 'qwen3' })
 */
export function openaiCompatible(options: OpenAICompatibleOptions): Provider {
  const defaults = readCompatibleOptions(options)
  const { name, model, contextWindow, maxOutputTokens = Math.ceil(contextWindow / 4), streaming } = defaults
  const limits: ModelLimits = { contextWindow, maxOutputTokens }
  const asker: Asker = { provider: name, factory: 'openaiCompatible', isForeign: true }
  const client = openaiClient(options, asker)

  async function* ask(request: ModelRequest | ToolAnswerRequest, { signal, connected }: ModelCallOptions) {
    const body = toChatRequest(request, defaults)
    try {
      signal?.throwIfAborted()
      const response = await client()
        .chat.completions.create(body, signal ? { signal } : {})
        .asResponse()
      connected?.()
      for await (const event of readChatReply(response, { provider: name, body, streaming })) {
        signal?.throwIfAborted()
        yield event
      }
    } catch (error) {
      throw signal?.aborted ? signal.reason : toProviderError(error, asker)
    }
  }

  function stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncIterable<ModelEvent> {
    const { outputSchema } = request
    if (!outputSchema || defaults.structuredOutput === 'native') return ask(request, call)
    return answerByTool({ ...request, outputSchema }, (withTool) => ask(withTool, call))
  }

  return { name, model, limits, stream }
}
