import type { JsonObject, Message, ModelRequest, ToolSpec } from '@orra/core'

export const QUESTION = 'Is it raining in Rome tomorrow, asks Bob?'

export const WEATHER: ToolSpec = {
  name: 'weather',
  description: 'Tells the weather of a city.',
  inputSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
}

/** A request that must stay as it is. */
export function ask(text: string = QUESTION, more: Partial<ModelRequest> = {}): ModelRequest {
  return conversation([user(text)], more)
}

export function conversation(messages: readonly Message[], more: Partial<ModelRequest> = {}): ModelRequest {
  return frozen({ messages, tools: [], ...more })
}

export function user(...texts: readonly string[]): Message {
  return { role: 'user', content: texts.map((text) => ({ type: 'text', text })) }
}

export function assistant(...texts: readonly string[]): Message {
  return { role: 'assistant', content: texts.map((text) => ({ type: 'text', text })) }
}

export function calling(
  ...calls: readonly { readonly callId: string; readonly input?: JsonObject | string }[]
): Message {
  const content = calls.map(
    ({ callId, input = { city: 'Rome' } }) => ({ type: 'tool-call', callId, name: WEATHER.name, input }) as const,
  )
  return { role: 'assistant', content }
}

export function answering(callId: string, text = 'Sunny.'): Message {
  return {
    role: 'tool',
    content: [{ type: 'tool-result', callId, name: WEATHER.name, content: [{ type: 'text', text }] }],
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}
