import type Anthropic from '@anthropic-ai/sdk'
import type { AssistantMessage, JsonValue, ModelResponse, StopReason, Usage } from '@orra/core'

/** A whole reply in orra's terms. */
export function toModelResponse({ content, stop_reason, usage, model }: Anthropic.Message): ModelResponse {
  return {
    message: { role: 'assistant', content: content.flatMap(toPart) },
    stopReason: toStopReason(stop_reason),
    usage: toUsage(usage),
    model,
  }
}

function toPart(block: Anthropic.ContentBlock): AssistantMessage['content'] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }]
    case 'thinking':
      return [{ type: 'reasoning', text: block.thinking, providerData: { anthropic: { signature: block.signature } } }]
    case 'redacted_thinking':
      return [{ type: 'reasoning', text: '', providerData: { anthropic: { redacted: block.data } } }]
    case 'tool_use':
      return [
        {
          type: 'tool-call',
          callId: block.id,
          name: block.name,
          input: block.input as JsonValue,
        },
      ]
    default:
      // Blocks of tools that run at the provider; orra asks for none.
      return []
  }
}

function toStopReason(reason: Anthropic.StopReason | null): StopReason {
  switch (reason) {
    case 'tool_use':
      return 'tool-calls'
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length'
    case 'refusal':
      return 'refused'
    default:
      return 'stop'
  }
}

/** Anthropic counts what was cached beside `input_tokens`; orra's `inputTokens` is all of it. Proxies leave counts out. */
function toUsage(usage: Partial<Anthropic.Usage> | null | undefined): Usage {
  const cacheReadTokens = usage?.cache_read_input_tokens ?? 0
  const cacheWriteTokens = usage?.cache_creation_input_tokens ?? 0
  return {
    inputTokens: (usage?.input_tokens ?? 0) + cacheReadTokens + cacheWriteTokens,
    outputTokens: usage?.output_tokens ?? 0,
    cacheReadTokens,
    cacheWriteTokens,
  }
}
