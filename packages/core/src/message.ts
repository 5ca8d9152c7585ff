import { OrraError } from './errors.ts'
import type { JsonObject, JsonValue } from './json.ts'

/**
 * What a provider wants back unchanged in the next request (a signature, an item id), by provider name. A provider
 * reads only its own key; core and other providers leave it alone.
 */
export interface ProviderData {
  readonly [provider: string]: JsonObject
}

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly providerData?: ProviderData
}

/** Bytes as base64, or a URL that the provider fetches. */
export type MediaSource =
  | { readonly data: string; readonly url?: never }
  | { readonly url: string; readonly data?: never }

export type ImagePart = MediaSource & {
  readonly type: 'image'
  /** Such as `image/png`. */
  readonly mediaType: string
}

export type FilePart = MediaSource & {
  readonly type: 'file'
  /** Such as `application/pdf`. */
  readonly mediaType: string
  readonly name?: string
}

/** What a model thought before it answered. Never shown to another session; sent back to the model that made it. */
export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  readonly providerData?: ProviderData
}

export interface ToolCallPart {
  readonly type: 'tool-call'
  /** Unique within the session. */
  readonly callId: string
  readonly name: string
  /** As the model gave it; not yet validated. */
  readonly input: JsonValue
  readonly providerData?: ProviderData
}

export interface ToolResultPart {
  readonly type: 'tool-result'
  readonly callId: string
  readonly name: string
  readonly content: readonly ContentPart[]
  /** The tool failed, was refused, or its outcome is unknown; `content` says so in words. @default false */
  readonly isError?: boolean
}

/** What people and tools can say. */
export type ContentPart = TextPart | ImagePart | FilePart

export interface UserMessage {
  readonly role: 'user'
  readonly content: readonly ContentPart[]
}

export interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: readonly (TextPart | ReasoningPart | ToolCallPart)[]
}

/** The results of tool calls. The log holds one message a result, in the order in which they were finished. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly content: readonly ToolResultPart[]
}

export type Message = UserMessage | AssistantMessage | ToolMessage

/** What `run` and `stream` take: text, parts, or a whole message. */
export type UserInput = string | readonly ContentPart[] | UserMessage

/** The text of a message or of content parts, joined; other parts are left out. */
export function textOf(content: Message | readonly { readonly type: string; readonly text?: string }[]): string {
  const parts = 'role' in content ? content.content : content
  let text = ''
  for (const part of parts) if (part.type === 'text') text += (part as TextPart).text
  return text
}

/** The tool calls of an assistant message, in its order. */
export function toolCallsOf(message: AssistantMessage): readonly ToolCallPart[] {
  return message.content.filter((part) => part.type === 'tool-call')
}

/** A user message made of `input`. Throws `message.invalid` when nothing would be sent. */
export function toUserMessage(input: UserInput): UserMessage {
  const content = typeof input === 'string' ? [{ type: 'text', text: input } as const] : contentOf(input)
  if (content.every((part) => part.type === 'text' && part.text.trim() === '')) {
    throw invalid('it is empty; send some text, an image or a file')
  }
  return { role: 'user', content }
}

function contentOf(input: readonly ContentPart[] | UserMessage): readonly ContentPart[] {
  const content = typeof input === 'object' && input !== null && 'role' in input ? input.content : input
  if (isContent(content)) return content
  throw invalid(
    'it is neither text, nor a user message, nor a list of text, image and file parts, the last two with either "data" (base64) or "url"',
  )
}

/** Whether `value` is a list of text, image and file parts, each whole. */
export function isContent(value: unknown): value is readonly ContentPart[] {
  return Array.isArray(value) && value.every(isContentPart)
}

function isContentPart(part: Partial<ContentPart> | null | undefined): boolean {
  if (part?.type === 'text') return typeof part.text === 'string'
  if (part?.type !== 'image' && part?.type !== 'file') return false
  return typeof part.mediaType === 'string' && (typeof part.data === 'string') !== (typeof part.url === 'string')
}

function invalid(problem: string): OrraError<'message.invalid'> {
  return new OrraError('message.invalid', `This message cannot be accepted: ${problem}.`, { details: { problem } })
}
