import type { ModelCallOptions, ModelEvent, ModelRequest, Provider } from '@orra/core'
import { type OpenAICompatibleOptions, openaiCompatible } from '@orra/provider-openai'

/** A chunk of a streamed reply. */
export function chunk(delta: object, choice: object = {}, more: object = {}) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm-1',
    choices: [{ index: 0, delta, finish_reason: null, ...choice }],
    ...more,
  }
}

export function text(content: unknown) {
  return chunk({ content })
}

/** A chunk with pieces of calls. */
export function calls(...pieces: readonly object[]) {
  return chunk({ tool_calls: pieces })
}

export function end(reason: string | null = 'stop') {
  return chunk({}, { finish_reason: reason })
}

export const DONE = 'data: [DONE]\n\n'

export function sse(...chunks: readonly object[]): string {
  return chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
}

/** A server that answers every call with these bytes. */
export function server(body: string | ReadableStream<Uint8Array>, init: ResponseInit = {}): typeof fetch {
  return async () => new Response(body, { headers: { 'content-type': 'text/event-stream' }, ...init })
}

export function compatible(options: Partial<OpenAICompatibleOptions> = {}): Provider {
  return openaiCompatible({ baseURL: 'http://127.0.0.1:9/v1', model: 'm', maxRetries: 0, ...options })
}

/** What a reader gets when a server answers with these bytes. */
export function heard(body: string, options: Partial<OpenAICompatibleOptions> = {}, request = ask('Hello')) {
  return collect(compatible({ fetch: server(body), ...options }), request)
}

/** What a reader gets of a stream of these chunks. */
export function played(...chunks: readonly object[]) {
  return heard(sse(...chunks) + DONE)
}

/** What a reader gets of a whole reply in one piece. */
export function answered(body: unknown, options: Partial<OpenAICompatibleOptions> = { streaming: false }) {
  const fetch = server(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
  return collect(compatible({ fetch, ...options }), ask('Hello'))
}

export function ask(words: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: words }] }], tools: [], ...more }
}

export async function collect(
  provider: Provider,
  request: ModelRequest,
  options: ModelCallOptions = {},
): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request, options)) events.push(event)
  return events
}

export type Finish = Extract<ModelEvent, { readonly type: 'finish' }>

/** The whole at the end of a reply. */
export function wholeOf(events: readonly ModelEvent[]): Finish {
  const last = events.at(-1)
  if (last?.type !== 'finish') throw new Error('There is no end.')
  return last
}

/** What the deltas of one kind add up to. */
export function deltasOf(events: readonly ModelEvent[], type: 'text-delta' | 'reasoning-delta' = 'text-delta'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('')
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing thrown',
    (error: unknown) => error,
  )
}
