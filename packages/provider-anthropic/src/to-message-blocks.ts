import { createHash } from 'node:crypto'
import type Anthropic from '@anthropic-ai/sdk'
import type { AssistantMessage, Message, ToolCallPart, ToolResultPart } from '@orra/core'
import { isBlank, wellFormed } from './legal-text.ts'
import { toContentBlocks, toTextBlocks } from './to-content-blocks.ts'

/** A message of one side. */
export interface AnthropicMessage {
  readonly role: 'user' | 'assistant'
  readonly content: Anthropic.ContentBlockParam[]
}

/** A conversation's messages are sent again with every call, so each is converted once, for as long as it lives. */
const converted = new WeakMap<Message, AnthropicMessage>()

/**
 * One message as the Messages API takes it, as far as that can be told of it alone: users and tools speak as `user`, and
 * what the API refuses in it is left out or put in words. Its content may be nothing.
 */
export function toMessageBlocks(message: Message): AnthropicMessage {
  const known = converted.get(message)
  if (known) return known
  const role = message.role === 'assistant' ? 'assistant' : 'user'
  const made: AnthropicMessage = { role, content: toBlocks(message) }
  converted.set(message, made)
  return made
}

export function isThinking({ type }: Anthropic.ContentBlockParam): boolean {
  return type === 'thinking' || type === 'redacted_thinking'
}

/** Whether the user says anything, rather than tools alone. */
export function speaks(content: AnthropicMessage['content']): boolean {
  return content.some(({ type }) => type !== 'tool_result')
}

function toBlocks(message: Message): Anthropic.ContentBlockParam[] {
  if (message.role === 'user') return message.content.flatMap(toContentBlocks)
  if (message.role === 'tool') return message.content.map(toResultBlock)
  return withWholeThinking(message.content)
}

/**
 * The API wants thinking whole and as it was made: with its signatures, first in its message, and not last. Where any of
 * that is lost (another provider's thoughts, a reply cut short), the message goes without all of it.
 */
function withWholeThinking(parts: AssistantMessage['content']): Anthropic.ContentBlockParam[] {
  const blocks = parts.flatMap(toAssistantBlocks)
  const [first] = blocks
  const last = blocks.at(-1)
  const isWhole =
    blocks.filter(isThinking).length === parts.filter(({ type }) => type === 'reasoning').length &&
    first !== undefined &&
    isThinking(first) &&
    last !== undefined &&
    !isThinking(last)
  return isWhole ? blocks : blocks.filter((block) => !isThinking(block))
}

function toAssistantBlocks(part: AssistantMessage['content'][number]): Anthropic.ContentBlockParam[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  if (part.type === 'tool-call') return [toToolUse(part)]
  const { signature, redacted } = part.providerData?.['anthropic'] ?? {}
  if (isSeal(redacted)) return [{ type: 'redacted_thinking', data: redacted }]
  return isSeal(signature) && part.text.isWellFormed() ? [{ type: 'thinking', thinking: part.text, signature }] : []
}

function isSeal(value: unknown): value is string {
  return typeof value === 'string' && !isBlank(value) && value.isWellFormed()
}

function toToolUse({ callId, name, input }: ToolCallPart): Anthropic.ToolUseBlockParam {
  // The API takes objects only; what a model wrote that was none is kept where it can be seen.
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
  return {
    type: 'tool_use',
    id: toToolUseId(callId),
    name: toToolName(name),
    input: wellFormed(isObject ? input : { input }),
  }
}

function toResultBlock({ callId, content, isError }: ToolResultPart): Anthropic.ToolResultBlockParam {
  const result = { type: 'tool_result', tool_use_id: toToolUseId(callId) } as const
  const blocks = content.flatMap(toContentBlocks)
  if (!isError) return blocks.length > 0 ? { ...result, content: blocks } : result
  // Of an error the API takes text only, and not none.
  const texts = blocks.filter((block) => block.type === 'text')
  return { ...result, content: texts.length > 0 ? texts : 'It failed without saying why.', is_error: true }
}

export function toToolName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_'
}

/** Ids of other providers may hold characters that this API does not take; the same id always becomes the same. */
function toToolUseId(callId: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(callId)) return callId
  return `call_${createHash('sha256').update(callId).digest('hex').slice(0, 32)}`
}
