import {
  type AssistantMessage,
  defineTool,
  type Message,
  type ModelResponse,
  type Provider,
  type Tool,
  type ToolContext,
  textOf,
} from '@orra/core'

/** What is said in the end to a message. */
export function answerTo(message: string): string {
  return `This answers ${message}.`
}

/** The one call with an effect that answering a message makes; the same, however often the model is asked. */
export function effectOf(message: string): string {
  return `effect of ${message}`
}

/** A model without a memory of its own: it asks for an effect and for a look, and then says what it answers. */
export function answeringModel(): Provider {
  return {
    name: 'answering',
    model: 'answering-1',
    async *stream({ messages }) {
      const message = textOf(messages.findLast(({ role }) => role === 'user')?.content ?? [])
      const isNew = messages.at(-1)?.role === 'user'
      if (!isNew) yield { type: 'text-delta', text: answerTo(message) }
      yield { type: 'finish', ...(isNew ? asksForTools(message) : answers(message)), ...COST }
    },
  }
}

/** The tools that it asks for. */
export function answeringTools(effect: (context: ToolContext) => Promise<void>): readonly Tool[] {
  const execute = async (_: object, context: ToolContext) => {
    await effect(context)
    return 'done'
  }
  return [
    defineTool({ name: 'effect', description: 'Has an effect.', execute }),
    defineTool({ name: 'look', description: 'Has none.', readOnly: true, execute: () => 'seen' }),
  ]
}

/** What is illegal in a request: it begins with a user, and every call is followed by its result. */
export function illegalities(messages: readonly Message[]): readonly string[] {
  const wrong: string[] = []
  const open = new Set<string>()
  if (messages[0]?.role !== 'user') wrong.push('a request begins without a user')
  for (const { role, content } of messages) {
    if (role !== 'tool' && open.size > 0) wrong.push(`a call is without its result before a ${role}`)
    for (const part of content) {
      if (part.type === 'tool-call') open.add(part.callId)
      if (part.type === 'tool-result' && !open.delete(part.callId)) wrong.push('a result is without its call')
    }
  }
  return wrong
}

const COST = {
  usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
  model: 'answering-1',
} as const

type Reply = Pick<ModelResponse, 'message' | 'stopReason'>

function asksForTools(message: string): Reply {
  const content: AssistantMessage['content'] = [
    { type: 'tool-call', callId: effectOf(message), name: 'effect', input: {} },
    { type: 'tool-call', callId: `look for ${message}`, name: 'look', input: {} },
  ]
  return { message: { role: 'assistant', content }, stopReason: 'tool-calls' }
}

function answers(message: string): Reply {
  return { message: { role: 'assistant', content: [{ type: 'text', text: answerTo(message) }] }, stopReason: 'stop' }
}
