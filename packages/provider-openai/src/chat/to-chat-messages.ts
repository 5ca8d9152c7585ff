import type { Message } from '@orra/core'
import type OpenAI from 'openai'
import { limitMedia } from '../limit-media.ts'
import { pairToolCalls } from '../pair-tool-calls.ts'
import { shortCallIds } from './short-call-ids.ts'
import { type ChatPart, toTextParts } from './to-chat-parts.ts'
import { type ChatTurn, toChatTurns } from './to-chat-turns.ts'

const BEFORE = '[What was said before is no longer shown.]'
const GO_ON = '[Go on.]'

/**
 * The conversation as the API, and the templates of models behind it, take it, whatever state the log is in: every call has its
 * result right after it, neighbours of one side are joined so that the two alternate, the user speaks first, and the model not
 * last.
 */
export function toChatMessages(messages: readonly Message[], provider: string): OpenAI.ChatCompletionMessageParam[] {
  const joined: ChatTurn[] = []
  for (const message of pairToolCalls(limitMedia(messages), shortCallIds())) {
    for (const turn of toChatTurns(message, provider)) join(joined, turn)
  }
  if (joined[0]?.role !== 'user') joined.unshift({ role: 'user', parts: toTextParts(BEFORE) })
  if (joined.at(-1)?.role === 'assistant') joined.push({ role: 'user', parts: toTextParts(GO_ON) })
  return joined.map(toMessage)
}

function join(turns: ChatTurn[], turn: ChatTurn): void {
  const last = turns.at(-1)
  if (last?.role === 'user' && turn.role === 'user') {
    turns[turns.length - 1] = { role: 'user', parts: [...last.parts, ...turn.parts] }
  } else if (last?.role === 'assistant' && turn.role === 'assistant') {
    // One with calls is followed by their results, so the calls are all the second's.
    turns[turns.length - 1] = { ...turn, text: [last.text, turn.text].filter(Boolean).join('\n\n') }
  } else turns.push(turn)
}

function toMessage(turn: ChatTurn): OpenAI.ChatCompletionMessageParam {
  switch (turn.role) {
    case 'user':
      return { role: 'user', content: toContent(turn.parts) }
    case 'tool':
      return { role: 'tool', tool_call_id: turn.callId, content: turn.text }
    case 'assistant': {
      const { text, calls } = turn
      const said = { role: 'assistant', content: text === '' ? null : text } as const
      return calls.length > 0 ? { ...said, tool_calls: [...calls] } : said
    }
  }
}

/** Many servers take text alone as a string only. */
function toContent(parts: readonly ChatPart[]): string | OpenAI.ChatCompletionContentPart[] {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  return texts.length === parts.length ? texts.join('\n\n') : [...parts]
}
