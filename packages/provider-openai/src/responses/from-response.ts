import type { AssistantMessage, ModelResponse, StopReason, Usage } from '@orra/core'
import { APIError } from 'openai'
import type { Response, ResponseOutputItem } from 'openai/resources/responses/responses'
import { countOf, fieldsOf, listOf, stringOf } from '../loose-json.ts'
import { newCallId } from '../new-call-id.ts'
import { toToolInput } from '../tool-input.ts'
import { cutShort, noReply } from './broken-reply.ts'
import { type ItemData, toProviderData } from './item-data.ts'
import { answerIn, summaryIn, thoughtIn } from './said-in-item.ts'

/**
 * A whole reply in orra's terms; `asked` is the model that was asked, and `said` the texts that readers have seen of its
 * items. Throws `provider.bad-reply` for what is none, `provider.connection` for one that is not whole, and what the API
 * says of one that failed.
 */
export function toModelResponse(
  reply: unknown,
  asked: string,
  said: ReadonlyMap<ResponseOutputItem, string> = new Map(),
): ModelResponse {
  const { error, output, status, usage, model } = fieldsOf(reply)
  if (status === 'failed' || error) throw toApiError(error)
  if (!Array.isArray(output)) throw noReply()
  if (status === 'cancelled' || status === 'queued' || status === 'in_progress') throw cutShort()
  const items = (output as readonly unknown[]).filter(isItem)
  return {
    message: { role: 'assistant', content: toContent(items, asked, said) },
    stopReason: toStopReason(reply as Response, items),
    usage: toUsage(usage),
    model: stringOf(model) || asked,
  }
}

/** What the API says went wrong, in the SDK's terms. */
export function toApiError(error: unknown): APIError {
  const told = typeof error === 'string' ? { message: error } : fieldsOf(error)
  return new APIError(undefined, told, 'The reply failed.', undefined)
}

function isItem(value: unknown): value is ResponseOutputItem {
  return typeof value === 'object' && value !== null
}

type Part = AssistantMessage['content'][number]

/** The parts, under their ids only where every item has become one: the API wants all of a reply back, or none of it. */
function toContent(
  items: readonly ResponseOutputItem[],
  model: string,
  said: ReadonlyMap<ResponseOutputItem, string>,
): readonly Part[] {
  const parts = items.map((item) => toPart(item, said.get(item)))
  const all = parts.filter((part) => part !== undefined)
  const isKept = all.length === items.length && items.every(hasId)
  if (!isKept) return all
  return items.flatMap((item, index) => {
    const part = parts[index]
    const data = { id: stringOf(fieldsOf(item)['id']), model, items: items.length, ...moreOf(item, part) }
    return part ? { ...part, providerData: toProviderData(data) } : []
  })
}

/** What a model refused with comes back as words, without an id. */
function hasId(item: ResponseOutputItem): boolean {
  return stringOf(fieldsOf(item)['id']) !== '' && !refuses(item)
}

function toPart(item: ResponseOutputItem, said?: string): Part | undefined {
  switch (item.type) {
    case 'message': {
      const text = said ?? answerIn(item)
      return text === '' ? undefined : { type: 'text', text }
    }
    case 'reasoning':
      return { type: 'reasoning', text: said ?? thoughtIn(item) }
    case 'function_call':
      return {
        type: 'tool-call',
        callId: stringOf(item.call_id) || newCallId(),
        name: stringOf(item.name),
        input: toToolInput(stringOf(item.arguments)),
      }
    default:
      // Items of tools that run at the provider; orra asks for none.
      return undefined
  }
}

/** What the API wants back of an item, beside what its part says. */
function moreOf(item: ResponseOutputItem, part: Part | undefined): Partial<ItemData> {
  if (item.type === 'message') return item.phase ? { phase: item.phase } : {}
  if (item.type !== 'reasoning' || part?.type !== 'reasoning') return {}
  const { encrypted_content: seal } = item
  const summary = summaryIn(item)
  const isText = summary.join() === part.text && summary.length < 2
  return { ...(seal ? { encryptedContent: seal } : {}), ...(isText ? {} : { summary }) }
}

function toStopReason(response: Response, items: readonly ResponseOutputItem[]): StopReason {
  if (response.status === 'incomplete') {
    return response.incomplete_details?.reason === 'content_filter' ? 'refused' : 'length'
  }
  if (items.some(({ type }) => type === 'function_call')) return 'tool-calls'
  return items.some(refuses) ? 'refused' : 'stop'
}

function refuses(item: ResponseOutputItem): boolean {
  return item.type === 'message' && listOf(item.content).some((part) => fieldsOf(part)['type'] === 'refusal')
}

/** Other servers leave counts out. */
function toUsage(usage: unknown): Usage {
  const { input_tokens, output_tokens, input_tokens_details } = fieldsOf(usage)
  const { cached_tokens, cache_write_tokens } = fieldsOf(input_tokens_details)
  return {
    inputTokens: countOf(input_tokens),
    outputTokens: countOf(output_tokens),
    cacheReadTokens: countOf(cached_tokens),
    cacheWriteTokens: countOf(cache_write_tokens),
  }
}
