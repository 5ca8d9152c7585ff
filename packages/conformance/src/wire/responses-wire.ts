import type { Usage } from '@orra/core'
import type { ModelWire, WireAnswer, WireCall, WireReply, WireToolCall, WireTurn } from './model-wire.ts'
import { openaiError, openaiFailure } from './openai-failures.ts'
import { responsesProblems } from './responses-problems.ts'
import {
  eventReply,
  inPieces,
  isObject,
  jsonReply,
  listOf,
  type NamedEvent,
  namedEvent,
  stopReasonOf,
  wantsStream,
} from './wire-parts.ts'

const SEAL = 'sealed-reasoning'
const TOO_LONG = 'Your input exceeds the context window of this model. Please adjust your input and try again.'

/** OpenAI's Responses API. */
export const responsesWire: ModelWire = {
  reply: (turn, { body }) => (wantsStream(body) ? streamed(turn) : jsonReply(200, responseOf(turn))),
  failure: openaiFailure,
  tooLong,
  breaksOff: (message) => [
    namedEvent({ type: 'error', code: 'server_error', message, param: null, sequence_number: 99 }),
    namedEvent({
      type: 'response.failed',
      response: failedResponse('server_error', message),
      sequence_number: 99,
    }),
  ],
  answerAsked,
  problemsIn: responsesProblems,
  seal: SEAL,
  lacks: { 'missing-ids': 'every call has an id' },
}

function tooLong({ body }: WireCall): readonly WireReply[] {
  const code = 'context_length_exceeded'
  const refused = openaiError(400, { message: TOO_LONG, type: 'invalid_request_error', param: 'input', code })
  const failed = failedResponse(code, TOO_LONG)
  if (!wantsStream(body)) return [refused, jsonReply(200, failed)]
  const created = { type: 'response.created', response: emptyResponse({ model: 'model-1' }) }
  return [
    refused,
    eventReply(numbered([created, { type: 'error', code, message: TOO_LONG, param: 'input' }])),
    eventReply(numbered([created, { type: 'response.failed', response: failed }])),
  ]
}

function emptyResponse({ model }: Pick<WireTurn, 'model'>) {
  const none = { error: null, incomplete_details: null, instructions: null, metadata: {}, output: [], usage: null }
  return { id: 'resp_1', object: 'response', created_at: 1_700_000_000, status: 'in_progress', model, ...none }
}

function failedResponse(code: string, message: string) {
  return { ...emptyResponse({ model: 'model-1' }), status: 'failed', error: { code, message } }
}

function responseOf(turn: WireTurn) {
  const cut = stopReasonOf(turn) === 'length'
  return {
    ...emptyResponse(turn),
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: itemsOf(turn).map(({ whole }) => whole),
    usage: turn.usage ? countsOf(turn.usage) : null,
  }
}

function countsOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage) {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  }
}

/** An item of the output as a whole, as it begins, and the events between. */
interface Item {
  readonly whole: object
  readonly begun: object
  readonly events: readonly NamedEvent[]
}

function itemsOf(turn: WireTurn): readonly Item[] {
  const { reasoning = [], text = [], toolCalls = [] } = turn
  const status = stopReasonOf(turn) === 'length' ? 'incomplete' : 'completed'
  return [
    ...(reasoning.length > 0 ? [reasoningItem(reasoning)] : []),
    ...(text.length > 0 ? [messageItem(text, stopReasonOf(turn) === 'refused', status)] : []),
    ...toolCalls.map((call, index) => callItem(call, `fc_${index}`, status)),
  ]
}

function reasoningItem(pieces: readonly string[]): Item {
  const id = `rs_${SEAL}`
  const summary = { type: 'summary_text', text: pieces.join('') }
  const at = { item_id: id, summary_index: 0 }
  const prefix = 'response.reasoning_summary'
  return {
    begun: { id, type: 'reasoning', summary: [] },
    whole: { id, type: 'reasoning', summary: [summary], encrypted_content: SEAL },
    events: [
      { type: `${prefix}_part.added`, ...at, part: { ...summary, text: '' } },
      ...pieces.map((delta) => ({ type: `${prefix}_text.delta`, ...at, delta })),
      { type: `${prefix}_text.done`, ...at, text: summary.text },
      { type: `${prefix}_part.done`, ...at, part: summary },
    ],
  }
}

function messageItem(pieces: readonly string[], isRefusal: boolean, status: string): Item {
  const item = { id: 'msg_1', type: 'message', role: 'assistant' }
  const text = pieces.join('')
  const at = { item_id: item.id, content_index: 0 }
  const part = isRefusal ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [] }
  const kind = isRefusal ? 'response.refusal' : 'response.output_text'
  const more = isRefusal ? {} : { logprobs: [] }
  return {
    begun: { ...item, status: 'in_progress', content: [] },
    whole: { ...item, status, content: [part] },
    events: [
      {
        type: 'response.content_part.added',
        ...at,
        part: isRefusal ? { ...part, refusal: '' } : { ...part, text: '' },
      },
      ...pieces.map((delta) => ({ type: `${kind}.delta`, ...at, delta, ...more })),
      { type: `${kind}.done`, ...at, ...(isRefusal ? { refusal: text } : { text }), ...more },
      { type: 'response.content_part.done', ...at, part },
    ],
  }
}

function callItem({ id: call_id, name, input }: WireToolCall, id: string, status: string): Item {
  const call = { id, type: 'function_call', call_id, name }
  const type = 'response.function_call_arguments'
  return {
    begun: { ...call, status: 'in_progress', arguments: '' },
    whole: { ...call, status, arguments: input },
    events: [
      ...inPieces(input).map((delta) => ({ type: `${type}.delta`, item_id: id, delta })),
      { type: `${type}.done`, item_id: id, name, arguments: input },
    ],
  }
}

function streamed(turn: WireTurn): WireReply {
  const response = responseOf(turn)
  const events = [
    { type: 'response.created', response: emptyResponse(turn) },
    { type: 'response.in_progress', response: emptyResponse(turn) },
    ...itemsOf(turn).flatMap(({ whole, begun, events: inner }, output_index) => [
      { type: 'response.output_item.added', output_index, item: begun },
      ...inner.map((event) => ({ ...event, output_index })),
      { type: 'response.output_item.done', output_index, item: whole },
    ]),
    { type: `response.${response.status}`, response },
  ]
  return eventReply(numbered(events))
}

function numbered(events: readonly NamedEvent[]): readonly string[] {
  return events.map((event, sequence_number) => namedEvent({ ...event, sequence_number }))
}

function answerAsked({ body }: WireCall): WireAnswer | undefined {
  if (!isObject(body)) return undefined
  const { text, tool_choice: choice, tools } = body
  if (isObject(text) && isObject(text['format']) && text['format']['type'] === 'json_schema') return 'text'
  if (isObject(choice) && choice['type'] === 'function') return { tool: String(choice['name']) }
  const last = listOf(tools).at(-1)
  return choice === 'required' && last ? { tool: String(last['name']) } : undefined
}
