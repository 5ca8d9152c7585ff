import type { AssistantMessage, JsonObject, Message, ToolCallPart, ToolResultPart } from '@orra/core'
import type OpenAI from 'openai'
import { isBlank, wellFormed } from '../legal-text.ts'
import { isJsonObject } from '../loose-json.ts'
import { inWords } from '../media.ts'
import { toToolName } from '../tool-name.ts'
import { type ChatPart, toChatParts, toTextParts } from './to-chat-parts.ts'

/** What one side says; neighbours of one side are not joined yet. */
export type ChatTurn =
  | { readonly role: 'user'; readonly parts: readonly ChatPart[] }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly ChatCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string }

/** A call, with what some servers want back with it. */
type ChatCall = OpenAI.ChatCompletionMessageFunctionToolCall & { readonly extra_content?: JsonObject }

/**
 * One message as the API takes it; its turns may be none. Thoughts are left out. Tools say text only: images and files that
 * they give are shown by the user, once all results are there.
 */
export function toChatTurns(message: Message, provider: string): readonly ChatTurn[] {
  if (message.role === 'user') return spoken(message.content.flatMap(toChatParts))
  if (message.role === 'assistant') return toReply(message, provider)
  const shown = message.content.flatMap(({ content }) => content.flatMap(toChatParts).filter(isMedium))
  return [...message.content.map(toResult), ...spoken(shown.length > 0 ? [...toTextParts(SHOWN), ...shown] : [])]
}

const SHOWN = '[What the tools gave besides text:]'

function spoken(parts: readonly ChatPart[]): readonly ChatTurn[] {
  return parts.length > 0 ? [{ role: 'user', parts }] : []
}

function toReply({ content }: AssistantMessage, provider: string): readonly ChatTurn[] {
  const texts = content.flatMap((part) =>
    part.type === 'text' && !isBlank(part.text) ? [part.text.toWellFormed()] : [],
  )
  const calls = content.flatMap((part) => (part.type === 'tool-call' ? [toCall(part, provider)] : []))
  return texts.length + calls.length > 0 ? [{ role: 'assistant', text: texts.join('\n\n'), calls }] : []
}

function toCall({ callId, name, input, providerData }: ToolCallPart, provider: string): ChatCall {
  // The API takes objects only; what a model wrote that was none is kept where it can be seen.
  const written = JSON.stringify(wellFormed(isJsonObject(input) ? input : { input }))
  const extra = providerData?.[provider]?.['extra_content']
  return {
    id: callId,
    type: 'function',
    function: { name: toToolName(name), arguments: written },
    ...(isJsonObject(extra) ? { extra_content: wellFormed(extra) } : {}),
  }
}

function toResult({ callId, content, isError }: ToolResultPart): ChatTurn {
  const texts = content.flatMap((part) =>
    toChatParts(part).map((made) => {
      if (made.type === 'text') return made.text
      return part.type === 'text' ? '' : inWords(part, 'is shown below')
    }),
  )
  const nothing = isError ? 'It failed without saying why.' : 'It gave nothing.'
  return { role: 'tool', callId, text: texts.join('\n\n') || nothing }
}

function isMedium({ type }: ChatPart): boolean {
  return type !== 'text'
}
