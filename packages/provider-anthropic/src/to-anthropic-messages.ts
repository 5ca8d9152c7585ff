import type Anthropic from '@anthropic-ai/sdk'
import type { AssistantMessage, ContentPart, Message, ToolCallPart, ToolResultPart } from '@orra/core'

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
    const content = toBlocks(message)
    if (content.length === 0) continue
    const last = joined.at(-1)
    if (last?.role === role) last.content.push(...content)
    else joined.push({ role, content })
  }
  return joined
}

function toBlocks(message: Message): Anthropic.ContentBlockParam[] {
  if (message.role === 'user') return message.content.flatMap(toContentBlocks)
  if (message.role === 'tool') return message.content.map(toResultBlock)
  return message.content.flatMap(toAssistantBlocks)
}

type ContentBlock = Anthropic.TextBlockParam | Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam

function toContentBlocks(part: ContentPart): ContentBlock[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  if (part.type === 'image') return [{ type: 'image', source: toImageSource(part) }]
  return [
    { type: 'document', source: toDocumentSource(part), ...(part.name === undefined ? {} : { title: part.name }) },
  ]
}

function toTextBlocks(text: string): Anthropic.TextBlockParam[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function toImageSource(part: Extract<ContentPart, { type: 'image' }>): Anthropic.ImageBlockParam['source'] {
  if (part.url !== undefined) return { type: 'url', url: part.url }
  return { type: 'base64', media_type: part.mediaType as Anthropic.Base64ImageSource['media_type'], data: part.data }
}

function toDocumentSource(part: Extract<ContentPart, { type: 'file' }>): Anthropic.DocumentBlockParam['source'] {
  if (part.url !== undefined) return { type: 'url', url: part.url }
  if (!part.mediaType.startsWith('text/')) return { type: 'base64', media_type: 'application/pdf', data: part.data }
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(part.data, 'base64').toString() }
}

function toResultBlock({ callId, content, isError }: ToolResultPart): Anthropic.ToolResultBlockParam {
  const blocks = content.flatMap(toContentBlocks)
  return {
    type: 'tool_result',
    tool_use_id: toToolUseId(callId),
    ...(blocks.length > 0 ? { content: blocks } : {}),
    ...(isError ? { is_error: true } : {}),
  }
}

function toAssistantBlocks(part: AssistantMessage['content'][number]): Anthropic.ContentBlockParam[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  if (part.type === 'tool-call')
    return [{ type: 'tool_use', id: toToolUseId(part.callId), name: part.name, input: toInput(part) }]
  const { signature, redacted } = part.providerData?.['anthropic'] ?? {}
  if (typeof redacted === 'string') return [{ type: 'redacted_thinking', data: redacted }]
  return typeof signature === 'string' ? [{ type: 'thinking', thinking: part.text, signature }] : []
}

/** The API takes objects only; what a model wrote that was none is kept where it can be seen. */
function toInput({ input }: ToolCallPart): object {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : { input }
}

/** Ids of other providers may hold characters that this API does not take. */
function toToolUseId(callId: string): string {
  return callId.replace(/[^a-zA-Z0-9_-]/g, '_')
}
