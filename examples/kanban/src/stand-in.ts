import {
  type AssistantMessage,
  type Message,
  type ModelEvent,
  type ModelRequest,
  type Provider,
  type ToolMessage,
  textOf,
} from '@orra/core'
import { adviceFrom } from './advice.ts'
import { NAMES } from './people.ts'
import { PLANNER } from './planner.ts'
import { asksForPlan, understand } from './requests.ts'

/**
 * A provider without a model: it understands plain requests about the board by rules. It goes through the whole
 * runtime like any other, and knows nothing of who may do what; that is not a model's business.
 */
export function standIn(): Provider {
  return {
    name: 'stand-in',
    model: 'rules',
    async *stream(request, { signal } = {}) {
      const message = reply(request)
      for (const word of textOf(message).match(/\S+\s*/g) ?? []) {
        signal?.throwIfAborted()
        yield { type: 'text-delta', text: word } satisfies ModelEvent
      }
      const stopReason = message.content.some(({ type }) => type === 'tool-call') ? 'tool-calls' : 'stop'
      const usage = {
        inputTokens: wordsOf(request.messages),
        outputTokens: wordsOf([message]),
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      }
      yield { type: 'finish', message, stopReason, usage, model: request.model ?? 'rules' }
    },
  }
}

const HINT =
  'I am a stand-in and understand only plain requests about the board, one at a time, such as "what is on the board?", ' +
  '"create task Paint the door", "move task 2 to done", "assign task 3 to bob", "delete task 4", "what is alice working on?" ' +
  `or "ask the planner what is next". The people here are ${NAMES.join(', ')}.`

function reply({ messages, instructions = '' }: ModelRequest): AssistantMessage {
  const isPlanner = instructions.includes(`You are ${PLANNER.name}.`)
  const asked = textOf(messages.findLast(({ role }) => role === 'user') ?? [])
  const isPlanning = isPlanner && asksForPlan(asked)
  const last = messages.at(-1)
  if (last?.role === 'tool') return saying(answerTo(last, isPlanning ? adviceFrom : (text) => text))
  const request = isPlanning ? { tool: 'list_tasks', input: {} } : understand(asked, speakerIn(instructions))
  if (!request) return saying(`I cannot do that. ${HINT}`)
  const call = { type: 'tool-call', callId: crypto.randomUUID(), name: request.tool, input: request.input } as const
  return { role: 'assistant', content: [call] }
}

function answerTo({ content: results }: ToolMessage, inWords: (result: string) => string): string {
  return results
    .map(({ content, isError }) => (isError ? `I could not do that. ${textOf(content)}` : inWords(textOf(content))))
    .join('\n')
}

/** The instructions say who is speaking, to a model as to this. */
function speakerIn(instructions: string): string {
  return instructions.match(/You speak with (\w+)/)?.[1] ?? ''
}

function saying(text: string): AssistantMessage {
  return { role: 'assistant', content: [{ type: 'text', text }] }
}

function wordsOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + textOf(message).split(/\s+/).length, 0)
}
