import type Anthropic from '@anthropic-ai/sdk'
import type { ModelRequest } from '@orra/core'
import { type Cacheable, markCacheBreakpoints } from './cache-breakpoints.ts'
import { toAnthropicMessages } from './to-anthropic-messages.ts'

/** What a request holds besides the conversation, unless it says otherwise. */
export interface RequestDefaults {
  readonly model: string
  readonly maxOutputTokens: number
  readonly promptCaching: boolean
  readonly thinking?: Anthropic.ThinkingConfigParam
  readonly effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  readonly temperature?: number
}

/** The body of a Messages API call. */
export function toAnthropicRequest(
  request: ModelRequest,
  defaults: RequestDefaults,
): Anthropic.MessageCreateParamsNonStreaming {
  const { thinking, effort, temperature, promptCaching } = defaults
  const prompt: Cacheable = {
    ...(request.tools.length > 0 ? { tools: request.tools.map(toAnthropicTool) } : {}),
    ...(request.instructions?.trim() ? { system: [{ type: 'text', text: request.instructions }] } : {}),
    messages: toAnthropicMessages(request.messages),
  }
  return {
    model: request.model ?? defaults.model,
    max_tokens: request.maxOutputTokens ?? defaults.maxOutputTokens,
    ...(promptCaching ? markCacheBreakpoints(prompt) : prompt),
    ...(thinking ? { thinking } : {}),
    ...(effort ? { output_config: { effort } } : {}),
    ...(temperature === undefined ? {} : { temperature }),
  }
}

function toAnthropicTool({ name, description, inputSchema }: ModelRequest['tools'][number]): Anthropic.Tool {
  return { name, description, input_schema: inputSchema as Anthropic.Tool.InputSchema }
}
