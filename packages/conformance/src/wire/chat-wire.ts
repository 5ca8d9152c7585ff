import type { Usage } from '@orra/core'
import { chatProblems } from './chat-problems.ts'
import type { ModelWire, WireAnswer, WireCall, WireReply, WireTurn } from './model-wire.ts'
import { openaiError, openaiFailure } from './openai-failures.ts'
import { eventReply, inPieces, isObject, jsonReply, listOf, stopReasonOf, wantsStream } from './wire-parts.ts'

/** Chat Completions, of OpenAI and of the many servers that speak it. */
export const chatWire: ModelWire = {
  reply: (turn, { body }) => (wantsStream(body) ? streamed(turn, body) : jsonReply(200, completionOf(turn))),
  failure: openaiFailure,
  tooLong: () => TOO_LONG,
  breaksOff: (message) => [event({ error: { message, type: 'server_error', param: null, code: null } })],
  answerAsked,
  problemsIn: chatProblems,
}

const TOO_LONG: readonly WireReply[] = [
  openaiError(400, {
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens. Please reduce the length of the messages.",
    type: 'invalid_request_error',
    param: 'messages',
    code: 'context_length_exceeded',
  }),
  // vLLM, as it is and as it was.
  openaiError(400, {
    message:
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
    type: 'BadRequestError',
    param: null,
    code: 400,
  }),
  jsonReply(400, {
    object: 'error',
    message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    type: 'BadRequestError',
    param: null,
    code: 400,
  }),
  // llama.cpp
  openaiError(400, {
    code: 400,
    message: 'the request exceeds the available context size, try increasing it',
    type: 'exceed_context_size_error',
    n_prompt_tokens: 5000,
    n_ctx: 4096,
  }),
  // OpenRouter
  openaiError(400, {
    message:
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens (39000 of text input, 1000 in the output). Please reduce the length of either one.",
    code: 400,
  }),
]

const FINISH_REASONS = {
  stop: 'stop',
  'tool-calls': 'tool_calls',
  length: 'length',
  refused: 'content_filter',
} as const

function completionOf(turn: WireTurn) {
  const { reasoning = [], text = [], toolCalls = [], usage } = turn
  const message = {
    role: 'assistant',
    content: text.length > 0 ? text.join('') : null,
    refusal: null,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(({ input, ...call }) => callOf(call, input)) } : {}),
  }
  return {
    ...head('chat.completion', turn),
    choices: [{ index: 0, message, logprobs: null, finish_reason: FINISH_REASONS[stopReasonOf(turn)] }],
    ...(usage ? { usage: countsOf(usage) } : {}),
  }
}

function callOf({ id, name }: { readonly id?: string; readonly name: string }, input: string) {
  return { ...(id === undefined ? {} : { id }), type: 'function', function: { name, arguments: input } }
}

function head(object: string, { model }: WireTurn) {
  return { id: 'chatcmpl-1', object, created: 1_700_000_000, model, service_tier: 'default' }
}

function countsOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens },
  }
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function streamed(turn: WireTurn, body: unknown): WireReply {
  const { reasoning = [], text = [], toolCalls = [], usage } = turn
  const chunk = (delta: object, finish_reason: string | null = null) =>
    event({
      ...head('chat.completion.chunk', turn),
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    })
  const inputs = toolCalls.map(({ input }) => inPieces(input))
  const rounds = Math.max(0, ...inputs.map(({ length }) => length))
  const needed = [
    // Servers behind a proxy keep a connection open by comments.
    ': still here\n\n',
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...reasoning.map((piece) => chunk({ reasoning_content: piece })),
    ...text.map((piece) => chunk({ content: piece })),
    ...toolCalls.map((call, index) => chunk({ tool_calls: [{ index, ...callOf(call, '') }] })),
    // The inputs of parallel calls come side by side.
    ...Array.from({ length: rounds }, (_, round) =>
      inputs.flatMap((pieces, index) => {
        const piece = pieces[round]
        return piece === undefined ? [] : [chunk({ tool_calls: [{ index, function: { arguments: piece } }] })]
      }),
    ).flat(),
    chunk({}, FINISH_REASONS[stopReasonOf(turn)]),
  ]
  const counts =
    usage && wantsUsage(body) ? [{ ...head('chat.completion.chunk', turn), choices: [], usage: countsOf(usage) }] : []
  return eventReply([...needed, ...counts.map(event), 'data: [DONE]\n\n'], needed.length)
}

function wantsUsage(body: unknown): boolean {
  const options = isObject(body) ? body['stream_options'] : undefined
  return isObject(options) && options['include_usage'] === true
}

function answerAsked({ body }: WireCall): WireAnswer | undefined {
  if (!isObject(body)) return undefined
  const { response_format: format, tool_choice: choice, tools } = body
  if (isObject(format) && format['type'] === 'json_schema') return 'text'
  if (isObject(choice) && isObject(choice['function'])) return { tool: String(choice['function']['name']) }
  const last = listOf(tools).at(-1)
  return choice === 'required' && isObject(last?.['function']) ? { tool: String(last['function']['name']) } : undefined
}
