import { OrraError } from './errors.ts'
import { type JsonObject, type JsonValue, toJson } from './json.ts'

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

/** A user message made of `input`, sharing nothing with it. Throws `message.invalid` when nothing could be sent. */
export function toUserMessage(input: UserInput): UserMessage {
  const content = typeof input === 'string' ? [{ type: 'text', text: input }] : partsOf(input)
  if (!isContent(content)) {
    throw invalid('it must be text, or text, image and file parts, the last two with either "data" (base64) or "url"')
  }
  if (content.every((part) => part.type === 'text' && part.text.trim() === '')) {
    throw invalid('it is empty; send some text, an image or a file')
  }
  return { role: 'user', content: toJson(content) }
}

function partsOf(input: readonly ContentPart[] | UserMessage): unknown {
  return typeof input === 'object' && input !== null && 'role' in input ? input.content : input
}

/** Whether `value` is a message of this role, with all of its parts whole. */
export function isMessageOf<Role extends Message['role']>(
  role: Role,
  value: unknown,
): value is Extract<Message, { role: Role }> {
  const { role: given, content } = (value ?? {}) as { readonly role?: unknown; readonly content?: unknown }
  if (given !== role || !Array.isArray(content)) return false
  if (role === 'user') return isContent(content)
  return content.every(role === 'assistant' ? isAssistantPart : isResultPart)
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

function isAssistantPart(part: Partial<AssistantMessage['content'][number]> | null | undefined): boolean {
  if (part?.type === 'text' || part?.type === 'reasoning') return typeof part.text === 'string'
  if (part?.type !== 'tool-call' || part.input === undefined) return false
  return typeof part.callId === 'string' && typeof part.name === 'string'
}

function isResultPart(part: Partial<ToolResultPart> | null | undefined): boolean {
  return part?.type === 'tool-result' && typeof part.callId === 'string' && isContent(part.content)
}

function invalid(problem: string): OrraError<'message.invalid'> {
  return new OrraError('message.invalid', `This message cannot be accepted: ${problem}.`, { details: { problem } })
}
