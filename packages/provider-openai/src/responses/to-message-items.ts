import type { AssistantMessage, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from '@orra/core'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { isBlank, wellFormed } from '../legal-text.ts'
import { toToolName } from '../tool-name.ts'
import { type ItemData, itemData } from './item-data.ts'
import { toInputContent } from './to-input-content.ts'

/** A message as items of the API. */
export interface MessageItems {
  /** Without ids and thoughts; what any model takes. May be nothing. */
  readonly plain: readonly ResponseInputItem[]
  /** With its thoughts, as the model made it, where nothing of that is lost. */
  readonly whole?: WholeItems
}

export interface WholeItems {
  readonly model: string
  readonly ids: readonly string[]
  readonly items: readonly ResponseInputItem[]
}

type AssistantPart = AssistantMessage['content'][number]

/** A conversation's messages are sent again with every call, so each is converted once, for as long as it lives. */
const converted = new WeakMap<Message, MessageItems>()

/** One message as the Responses API takes it, as far as that can be told of it alone. */
export function toMessageItems(message: Message): MessageItems {
  const known = converted.get(message)
  if (known) return known
  const made = message.role === 'assistant' ? fromAssistant(message.content) : { plain: toItems(message) }
  converted.set(message, made)
  return made
}

function toItems(message: Exclude<Message, AssistantMessage>): readonly ResponseInputItem[] {
  if (message.role === 'tool') return message.content.map(toOutput)
  const content = message.content.flatMap(toInputContent)
  return content.length > 0 ? [{ type: 'message', role: 'user', content }] : []
}

function fromAssistant(parts: readonly AssistantPart[]): MessageItems {
  const plain = parts.flatMap(toPlainItem)
  const whole = toWholeItems(parts)
  return whole ? { plain, whole } : { plain }
}

function toPlainItem(part: AssistantPart): readonly ResponseInputItem[] {
  if (part.type === 'reasoning') return []
  if (part.type === 'tool-call') return [toCall(part)]
  return isBlank(part.text) ? [] : [{ type: 'message', role: 'assistant', content: part.text.toWellFormed() }]
}

/**
 * The API wants thoughts back with the very items that followed them, under their ids, and never last. Where any of that is
 * lost (another provider's thoughts, a reply cut short, parts that are no longer there), the message goes without all of it.
 */
function toWholeItems(parts: readonly AssistantPart[]): WholeItems | undefined {
  const found: { readonly data: ItemData; readonly item: ResponseInputItem }[] = []
  for (const part of parts) {
    const data = itemData(part.providerData)
    const item = data && toWholeItem(part, data)
    if (!item) return undefined
    found.push({ data, item })
  }
  const [first] = found
  if (!first || parts.at(-1)?.type === 'reasoning') return undefined
  if (found.some(({ data }) => data.model !== first.data.model || data.items !== found.length)) return undefined
  return {
    model: first.data.model,
    ids: found.map(({ data }) => data.id),
    items: found.map(({ item }) => item),
  }
}

function toWholeItem(part: AssistantPart, data: ItemData): ResponseInputItem | undefined {
  if (part.type === 'tool-call') return { ...toCall(part), id: data.id }
  return part.type === 'reasoning' ? toThought(part, data) : toAnswer(part, data)
}

function toAnswer({ text }: TextPart, { id, phase }: ItemData): ResponseInputItem | undefined {
  if (isBlank(text) || !text.isWellFormed()) return undefined
  const content = [{ type: 'output_text' as const, text, annotations: [] }]
  return { type: 'message', id, role: 'assistant', status: 'completed', content, ...(phase ? { phase } : {}) }
}

function toThought({ text }: ReasoningPart, data: ItemData): ResponseInputItem | undefined {
  const { id, encryptedContent, summary = text === '' ? [] : [text] } = data
  if (encryptedContent === undefined || !text.isWellFormed()) return undefined
  return {
    type: 'reasoning',
    id,
    summary: summary.map((said) => ({ type: 'summary_text', text: said })),
    encrypted_content: encryptedContent,
  }
}

function toCall({ callId, name, input }: ToolCallPart) {
  // The API takes objects only; what a model wrote that was none is kept where it can be seen.
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
  return {
    type: 'function_call',
    call_id: callId,
    name: toToolName(name),
    arguments: JSON.stringify(wellFormed(isObject ? input : { input })),
  } as const
}

function toOutput({ callId, content, isError }: ToolResultPart): ResponseInputItem {
  const said = content.flatMap(toInputContent)
  const [first] = said
  const nothing = isError ? 'It failed without saying why.' : 'It is done, and says nothing.'
  const isOneText = said.length === 1 && first?.type === 'input_text'
  const output = first ? (isOneText ? first.text : [...said]) : nothing
  return { type: 'function_call_output', call_id: callId, output }
}
