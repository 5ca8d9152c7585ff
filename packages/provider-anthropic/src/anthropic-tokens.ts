import type { ModelCallOptions, ModelRequest, RequestCounter } from '@orra/core'
import { anthropicClient } from './anthropic-client.ts'
import { toProviderError } from './anthropic-error.ts'
import { type AnthropicOptions, readOptions } from './anthropic-options.ts'
import { outputFormat } from './output-format.ts'
import { noReply } from './reply-assembler.ts'
import { toAnthropicRequest } from './to-anthropic-request.ts'

/**
 * Counts what a request would cost, exactly, by asking Anthropic; that is free of charge, and limited in how often it may
 * be done. It takes the options of `anthropic`, and counts the very request that `anthropic` would send.
 *
 * @example
 * const counter = anthropicTokens({ model: 'claude-sonnet-5' })
 */
export function anthropicTokens(options: AnthropicOptions): RequestCounter {
  const { temperature: _, ...given } = readOptions('anthropicTokens', options)
  const defaults = { ...given, promptCaching: false }
  const client = anthropicClient(options)
  return {
    async countRequest(request: ModelRequest, { signal }: ModelCallOptions = {}) {
      const { max_tokens: _, ...counted } = toAnthropicRequest(asSent(request), defaults)
      try {
        const { input_tokens } = await client().messages.countTokens(counted, signal ? { signal } : {})
        if (!Number.isSafeInteger(input_tokens)) throw noReply()
        return input_tokens
      } catch (error) {
        throw signal?.aborted ? signal.reason : toProviderError(error)
      }
    },
  }
}

/** A schema that the API cannot be held to is sent as a tool. */
function asSent(request: ModelRequest): ModelRequest {
  const { outputSchema, tools, ...rest } = request
  if (!outputSchema || outputFormat(outputSchema)) return request
  return { ...rest, tools: [...tools, { name: 'final_answer', description: '', inputSchema: outputSchema }] }
}
