import type { JsonObject, ModelRequest, ToolAnswerRequest } from '@orra/core'
import type { ResponseCreateParamsNonStreaming, ResponseTextConfig } from 'openai/resources/responses/responses'
import { toInputSchema } from '../input-schema.ts'
import { isBlank, wellFormed } from '../legal-text.ts'
import { mayBeBrief, mayReason, mayVary } from '../model-family.ts'
import type { OpenAIOptions } from '../openai-options.ts'
import { isStrictSchema } from '../strict-schema.ts'
import type { LeftOut } from './plainer-request.ts'
import { toFunctionTools } from './to-function-tools.ts'
import { toInputItems } from './to-input-items.ts'

/** What a request holds besides the conversation, unless it says otherwise. */
export type RequestDefaults = Pick<
  OpenAIOptions,
  'model' | 'maxOutputTokens' | 'reasoning' | 'temperature' | 'verbosity' | 'promptCacheKey'
> & { readonly store: boolean }

/** The API takes no shorter limit. */
const LEAST_OUTPUT_TOKENS = 16

/** The body of a Responses API call, which the API takes whatever the request holds; `request` stays as it is. */
export function toResponsesRequest(
  request: ModelRequest | ToolAnswerRequest,
  defaults: RequestDefaults,
  leftOut: LeftOut = {},
): ResponseCreateParamsNonStreaming {
  const { instructions = '' } = request
  const { reasoning, temperature, promptCacheKey, store } = defaults
  const model = request.model ?? defaults.model
  const maxOutputTokens = request.maxOutputTokens ?? defaults.maxOutputTokens
  const tools = toFunctionTools(request.tools)
  const text = toTextConfig(request, model, defaults)
  const thinks = typeof reasoning === 'boolean' ? reasoning : mayReason(model)
  return {
    model,
    ...(isBlank(instructions) ? {} : { instructions: instructions.toWellFormed() }),
    ...(tools.length > 0 ? { tools } : {}),
    ...('answerTool' in request ? { tool_choice: 'required' } : {}),
    input: toInputItems(request.messages, model, leftOut.thoughts),
    store,
    // Thoughts come back sealed, so that the next request can hold them whether they are stored or not.
    ...(thinks && !leftOut.include ? { include: ['reasoning.encrypted_content'] } : {}),
    ...(thinks && typeof reasoning === 'object' ? { reasoning } : {}),
    ...(text ? { text } : {}),
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: Math.max(LEAST_OUTPUT_TOKENS, maxOutputTokens) }),
    ...(temperature === undefined || !mayVary(model) ? {} : { temperature }),
    ...(promptCacheKey === undefined ? {} : { prompt_cache_key: promptCacheKey }),
  }
}

function toTextConfig(
  request: ModelRequest | ToolAnswerRequest,
  model: string,
  defaults: RequestDefaults,
): ResponseTextConfig | undefined {
  const outputSchema = 'answerTool' in request ? undefined : request.outputSchema
  const verbosity = mayBeBrief(model) ? defaults.verbosity : undefined
  if (!outputSchema && !verbosity) return undefined
  return { ...(outputSchema ? { format: toFormat(outputSchema) } : {}), ...(verbosity ? { verbosity } : {}) }
}

function toFormat(given: JsonObject) {
  const strict = isStrictSchema(given)
  return {
    type: 'json_schema',
    name: 'answer',
    schema: strict ? wellFormed(given) : toInputSchema(given),
    strict,
  } as const
}
