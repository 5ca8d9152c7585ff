import type { ModelRequest, ToolAnswerRequest } from '@orra/core'
import type OpenAI from 'openai'
import { toInputSchema } from '../input-schema.ts'
import { isBlank, wellFormed } from '../legal-text.ts'
import { isStrictSchema } from '../strict-schema.ts'
import { toChatMessages } from './to-chat-messages.ts'
import { toChatTools } from './to-chat-tools.ts'

/** What a request holds besides the conversation, unless it says otherwise. */
export interface ChatDefaults {
  /** The provider's. */
  readonly name: string
  readonly model: string
  readonly maxOutputTokens?: number
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  readonly temperature?: number
  readonly reasoningEffort?: string
  readonly streaming: boolean
}

/** The body of a call, which servers take whatever the request holds; `request` stays as it is. */
export function toChatRequest(
  request: ModelRequest | ToolAnswerRequest,
  defaults: ChatDefaults,
): OpenAI.ChatCompletionCreateParams {
  const { name, maxTokensField, temperature, reasoningEffort, streaming } = defaults
  const { instructions = '', maxOutputTokens = defaults.maxOutputTokens } = request
  const system = isBlank(instructions) ? [] : [{ role: 'system' as const, content: instructions.toWellFormed() }]
  const tools = toChatTools(request.tools)
  return {
    model: request.model ?? defaults.model,
    messages: [...system, ...toChatMessages(request.messages, name)],
    ...(tools ? { tools } : {}),
    ...('answerTool' in request ? { tool_choice: 'required' } : toFormat(request)),
    ...(maxOutputTokens === undefined ? {} : { [maxTokensField]: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort as OpenAI.ReasoningEffort }),
    ...(streaming ? { stream: true, stream_options: { include_usage: true } } : { stream: false }),
  }
}

function toFormat({ outputSchema }: ModelRequest): Pick<OpenAI.ChatCompletionCreateParams, 'response_format'> {
  if (!outputSchema) return {}
  const json_schema = isStrictSchema(outputSchema)
    ? { name: 'answer', schema: wellFormed(outputSchema), strict: true }
    : { name: 'answer', schema: toInputSchema(outputSchema) }
  return { response_format: { type: 'json_schema', json_schema } }
}
