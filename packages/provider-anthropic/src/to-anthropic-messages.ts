import { createHash } from 'node:crypto'
import type Anthropic from '@anthropic-ai/sdk'
import type { AssistantMessage, Message, ToolCallPart, ToolResultPart } from '@orra/core'
import { toContentBlocks, toTextBlocks } from './to-content-blocks.ts'

export interface AnthropicMessage {
  readonly role: 'user' | 'assistant'
  readonly content: Anthropic.ContentBlockParam[]
}

/**
 * The conversation as the Messages API takes it: users and tools speak as `user`, neighbours of one role are joined so
 * that the roles alternate, and what the API refuses (empty text, thinking without its signature) is left out.
 */
export function toAnthropicMessages(messages: readonly Message[]): AnthropicMessage[] {
  const joined: AnthropicMessage[] = []
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const blocks = blocksOf(message)
    if (blocks.length === 0) continue
    const last = joined.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else joined.push({ role, content: [...blocks] })
  }
  return joined
}

/** A conversation's messages are sent again with every call, so each is converted once, for as long as it lives. */
const converted = new WeakMap<Message, readonly Anthropic.ContentBlockParam[]>()

function blocksOf(message: Message): readonly Anthropic.ContentBlockParam[] {
  const known = converted.get(message)
  if (known) return known
  const blocks = toBlocks(message)
  converted.set(message, blocks)
  return blocks
}

function toBlocks(message: Message): Anthropic.ContentBlockParam[] {
  if (message.role === 'user') return message.content.flatMap(toContentBlocks)
  if (message.role === 'tool') return message.content.map(toResultBlock)
  return withoutFinalThinking(message.content.flatMap(toAssistantBlocks))
}

/** The API refuses a message that ends in thinking: what was thought about was cut off or is left out. */
function withoutFinalThinking(blocks: Anthropic.ContentBlockParam[]): Anthropic.ContentBlockParam[] {
  const last = blocks.findLastIndex(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
  return blocks.slice(0, last + 1)
}

function toResultBlock({ callId, content, isError }: ToolResultPart): Anthropic.ToolResultBlockParam {
  const result = { type: 'tool_result', tool_use_id: toToolUseId(callId) } as const
  const blocks = content.flatMap(toContentBlocks)
  if (!isError) return blocks.length > 0 ? { ...result, content: blocks } : result
  // Of an error the API takes text only, and not none.
  const texts = blocks.filter((block) => block.type === 'text')
  return { ...result, content: texts.length > 0 ? texts : 'It failed without saying why.', is_error: true }
}

function toAssistantBlocks(part: AssistantMessage['content'][number]): Anthropic.ContentBlockParam[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  if (part.type === 'tool-call') return [toToolUse(part)]
  const { signature, redacted } = part.providerData?.['anthropic'] ?? {}
  if (typeof redacted === 'string') return [{ type: 'redacted_thinking', data: redacted }]
  return typeof signature === 'string' && signature !== '' ? [{ type: 'thinking', thinking: part.text, signature }] : []
}

function toToolUse({ callId, name, input }: ToolCallPart): Anthropic.ToolUseBlockParam {
  // The API takes objects only; what a model wrote that was none is kept where it can be seen.
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
  return {
    type: 'tool_use',
    id: toToolUseId(callId),
    name: name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_',
    input: isObject ? input : { input },
  }
}

/** Ids of other providers may hold characters that this API does not take; the same id always becomes the same. */
function toToolUseId(callId: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(callId)) return callId
  return `call_${createHash('sha256').update(callId).digest('hex').slice(0, 32)}`
}
