import type Anthropic from '@anthropic-ai/sdk'
import type { ModelRequest, ToolAnswerRequest } from '@orra/core'
import { markCacheBreakpoints } from './cache-breakpoints.ts'
import { fittingThinking } from './fitting-thinking.ts'
import { jsonBytes } from './json-bytes.ts'
import { isBlank } from './legal-text.ts'
import { limitMedia } from './limit-media.ts'
import { outputFormat } from './output-format.ts'
import { toAnthropicMessages } from './to-anthropic-messages.ts'
import { toAnthropicTools } from './to-anthropic-tools.ts'

/** What a request holds besides the conversation, unless it says otherwise. */
export interface RequestDefaults {
  readonly model: string
  readonly maxOutputTokens: number
  readonly promptCaching: boolean
  readonly thinking?: Anthropic.ThinkingConfigParam
  readonly effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  readonly temperature?: number
}

/**
 * The body of a Messages API call, which the API takes whatever the request holds; `request` stays as it is. Throws
 * `provider.context-too-long` for more than 32 MB of text.
 */
export function toAnthropicRequest(
  request: ModelRequest & Partial<Pick<ToolAnswerRequest, 'answerTool'>>,
  defaults: RequestDefaults,
): Anthropic.MessageCreateParamsNonStreaming {
  const { effort, temperature, promptCaching } = defaults
  const model = request.model ?? defaults.model
  const maxTokens = request.maxOutputTokens ?? defaults.maxOutputTokens
  const messages = toAnthropicMessages(request.messages)
  const { tool_choice, ...tools } = toAnthropicTools(request.tools, messages)
  const prefix = { ...tools, ...toSystem(request.instructions) }
  const prompt = { ...prefix, messages: limitMedia(messages, jsonBytes(prefix)) }
  const thinking = fittingThinking(messages, maxTokens, defaults)
  const choice = tool_choice ?? (request.answerTool && mayForce(defaults) ? ({ type: 'any' } as const) : undefined)
  const format = request.outputSchema && outputFormat(request.outputSchema)
  return {
    model,
    max_tokens: maxTokens,
    ...(promptCaching ? markCacheBreakpoints(prompt) : prompt),
    ...(choice ? { tool_choice: choice } : {}),
    ...(thinking ? { thinking } : {}),
    ...(effort || format ? { output_config: { ...(effort ? { effort } : {}), ...(format ? { format } : {}) } } : {}),
    ...(temperature === undefined ? {} : { temperature }),
  }
}

/** A model that thinks cannot be made to call a tool. */
function mayForce({ thinking }: Pick<RequestDefaults, 'thinking'>): boolean {
  return thinking === undefined || thinking.type === 'disabled'
}

function toSystem(instructions = ''): { readonly system?: Anthropic.TextBlockParam[] } {
  return isBlank(instructions) ? {} : { system: [{ type: 'text', text: instructions.toWellFormed() }] }
}
