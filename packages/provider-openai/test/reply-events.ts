/** The events of the Responses API, in the form in which it sends them. */

interface Item {
  readonly type: string
  readonly [key: string]: unknown
}

const usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100, cache_write_tokens: 7 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 150,
}

export function response(more: object = {}) {
  return {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'gpt-5.2-2026-01-01',
    output: [] as readonly Item[],
    error: null,
    incomplete_details: null,
    usage,
    ...more,
  }
}

export const created = { type: 'response.created', response: response({ status: 'in_progress', usage: null }) }
export const completed = (more: object = {}) => ({ type: 'response.completed', response: response(more) })
export const incomplete = (reason: string, more: object = {}) => ({
  type: 'response.incomplete',
  response: response({ status: 'incomplete', incomplete_details: { reason }, ...more }),
})
export const failed = (error: object) => ({
  type: 'response.failed',
  response: response({ status: 'failed', error }),
})

export const message = (text: string, more: object = {}): Item => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
  ...more,
})
export const refusal = (words: string): Item => message('', { content: [{ type: 'refusal', refusal: words }] })
export const thought = (summary: readonly string[], more: object = {}): Item => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: summary.map((text) => ({ type: 'summary_text', text })),
  encrypted_content: 'sealed',
  ...more,
})
export const call = (callId: string, args: string, more: object = {}): Item => ({
  type: 'function_call',
  id: `fc_${callId}`,
  call_id: callId,
  name: 'weather',
  arguments: args,
  status: 'completed',
  ...more,
})

/** An item as it is streamed: begun empty, in so many pieces, and at last whole. */
export function streamed(item: Item, output_index: number, pieces: readonly string[] = []) {
  const at = { output_index, item_id: item['id'], content_index: 0, summary_index: 0 }
  const begun = { ...item, ...EMPTY[item.type], status: 'in_progress' }
  const deltas = pieces.map((delta) => ({ type: deltaOf(item), ...at, delta }))
  return [
    { type: 'response.output_item.added', output_index, item: begun },
    ...deltas,
    { type: 'response.output_item.done', output_index, item },
  ]
}

const EMPTY: { readonly [type: string]: object } = {
  message: { content: [] },
  reasoning: { summary: [], encrypted_content: null },
  function_call: { arguments: '' },
}

function deltaOf(item: Item): string {
  if (item.type === 'function_call') return 'response.function_call_arguments.delta'
  if (item.type === 'reasoning') return 'response.reasoning_summary_text.delta'
  const refuses = JSON.stringify(item['content']).includes('"refusal"')
  return refuses ? 'response.refusal.delta' : 'response.output_text.delta'
}
