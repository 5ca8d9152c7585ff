import type { Usage } from '@orra/core'
import { messagesProblems } from './messages-problems.ts'
import type { ModelWire, WireAnswer, WireCall, WireFailure, WireReply, WireTurn } from './model-wire.ts'
import { eventReply, inPieces, isObject, jsonReply, namedEvent, stopReasonOf, wantsStream } from './wire-parts.ts'

const SEAL = 'sealed-thinking'

/** Anthropic's Messages API. */
export const messagesWire: ModelWire = {
  reply: (turn, { body }) => (wantsStream(body) ? streamed(turn) : jsonReply(200, messageOf(turn))),
  failure: (kind, message) => failure(...FAILURES[kind], message),
  tooLong: () => TOO_LONG,
  breaksOff: (message) => [namedEvent(errorOf('overloaded_error', message)), namedEvent(errorOf('api_error', message))],
  answerAsked,
  problemsIn: messagesProblems,
  seal: SEAL,
  lacks: { 'missing-ids': 'every call has an id' },
}

const FAILURES: { readonly [Kind in WireFailure]: readonly [status: number, type: string] } = {
  'bad-request': [400, 'invalid_request_error'],
  'unknown-key': [401, 'authentication_error'],
  forbidden: [403, 'permission_error'],
  'unknown-model': [404, 'not_found_error'],
  'rate-limited': [429, 'rate_limit_error'],
  internal: [500, 'api_error'],
  overloaded: [529, 'overloaded_error'],
}

const TOO_LONG: readonly WireReply[] = [
  failure(400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'),
  failure(
    400,
    'invalid_request_error',
    'input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000, decrease input length or `max_tokens` and try again',
  ),
  failure(413, 'request_too_large', 'Request exceeds the maximum size'),
]

const STOP_REASONS = { stop: 'end_turn', 'tool-calls': 'tool_use', length: 'max_tokens', refused: 'refusal' } as const

function errorOf(type: string, message: string) {
  return { type: 'error', error: { type, message }, request_id: 'req_1' }
}

function failure(status: number, type: string, message: string): WireReply {
  return jsonReply(status, errorOf(type, message))
}

function messageOf(turn: WireTurn) {
  return {
    ...emptyMessage(turn),
    content: blocksOf(turn).map(({ whole }) => whole),
    stop_reason: STOP_REASONS[stopReasonOf(turn)],
    ...(turn.usage ? { usage: { ...inputCounts(turn.usage), output_tokens: turn.usage.outputTokens } } : {}),
  }
}

function emptyMessage({ model }: WireTurn) {
  return { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null }
}

/** What was cached is counted beside `input_tokens`, and not in it. */
function inputCounts({ inputTokens, cacheReadTokens, cacheWriteTokens }: Usage) {
  return {
    input_tokens: inputTokens - cacheReadTokens - cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
    cache_creation_input_tokens: cacheWriteTokens,
  }
}

/** A block of content as a whole, as it begins, and as it grows. */
interface Block {
  readonly whole: object
  readonly begun: object
  readonly deltas: readonly object[]
}

function blocksOf({ reasoning = [], text = [], toolCalls = [] }: WireTurn): readonly Block[] {
  const thinking: Block = {
    whole: { type: 'thinking', thinking: reasoning.join(''), signature: SEAL },
    begun: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      ...reasoning.map((piece) => ({ type: 'thinking_delta', thinking: piece })),
      { type: 'signature_delta', signature: SEAL },
    ],
  }
  const words: Block = {
    whole: { type: 'text', text: text.join('') },
    begun: { type: 'text', text: '' },
    deltas: text.map((piece) => ({ type: 'text_delta', text: piece })),
  }
  const calls = toolCalls.map(({ id, name, input }): Block => {
    const call = { type: 'tool_use', id, name }
    const deltas = inPieces(input).map((piece) => ({ type: 'input_json_delta', partial_json: piece }))
    return { whole: { ...call, input: parsed(input) }, begun: { ...call, input: {} }, deltas }
  })
  return [...(reasoning.length > 0 ? [thinking] : []), ...(text.length > 0 ? [words] : []), ...calls]
}

/** A reply in one piece holds an input as it was read; what could not be read stays text. */
function parsed(input: string): unknown {
  if (input === '') return {}
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}

function streamed(turn: WireTurn): WireReply {
  const { usage } = turn
  const begun = { ...emptyMessage(turn), ...(usage ? { usage: { ...inputCounts(usage), output_tokens: 1 } } : {}) }
  const end = { stop_reason: STOP_REASONS[stopReasonOf(turn)], stop_sequence: null }
  const events = [
    { type: 'message_start', message: begun },
    { type: 'ping' },
    ...blocksOf(turn).flatMap(({ begun: content_block, deltas }, index) => [
      { type: 'content_block_start', index, content_block },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: end, ...(usage ? { usage: { output_tokens: usage.outputTokens } } : {}) },
    { type: 'message_stop' },
  ]
  return eventReply(events.map(namedEvent))
}

function answerAsked({ body }: WireCall): WireAnswer | undefined {
  if (!isObject(body)) return undefined
  const { output_config: output, tool_choice: choice, tools } = body
  if (isObject(output) && isObject(output['format']) && output['format']['type'] === 'json_schema') return 'text'
  if (!isObject(choice)) return undefined
  if (choice['type'] === 'tool') return { tool: String(choice['name']) }
  const last = Array.isArray(tools) ? tools.at(-1) : undefined
  return isObject(last) ? { tool: String(last['name']) } : undefined
}
