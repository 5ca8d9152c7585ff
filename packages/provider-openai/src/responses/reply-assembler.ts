import type { ModelEvent, ModelResponse } from '@orra/core'
import type { Response, ResponseOutputItem, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { fieldsOf, listOf, stringOf } from '../loose-json.ts'
import { cutShort, noReply } from './broken-reply.ts'
import { toApiError, toModelResponse } from './from-response.ts'
import { type GrowingItem, growingItem } from './growing-item.ts'
import { inTurn } from './in-turn.ts'

/** Puts a streamed reply together. What `take` returns adds up to the text and to the thoughts of the reply. */
export interface ReplyAssembler {
  /** Takes the next event of the stream; returns what a reader wants to see of it at once. Throws what a server says failed. */
  take(event: ResponseStreamEvent): readonly ModelEvent[]
  /** Whether the reply is complete, whatever the stream goes on with. */
  isDone(): boolean
  /**
   * The reply, once it is done or the stream has ended. Throws `provider.bad-reply` when there was none, and
   * `provider.connection` when the stream ended before it did.
   */
  finish(): ModelResponse
}

type Told = 'text-delta' | 'reasoning-delta'

/** `asked` is the model that was asked. */
export function replyAssembler(asked: string): ReplyAssembler {
  /** In the order in which they were first heard of. */
  const items = new Map<string, GrowingItem>()
  const turns = { 'text-delta': inTurn(), 'reasoning-delta': inTurn() }
  let begun = false
  let response: Response | undefined

  function itemAt(index: number, type: string): GrowingItem {
    const key = `${index} ${type}`
    const known = items.get(key)
    if (known) return known
    const item = growingItem(type, index)
    items.set(key, item)
    const told = toldAs(type)
    if (told) turns[told].queue(key)
    return item
  }

  function say(index: number, type: 'message' | 'reasoning', delta: unknown, place?: string): readonly ModelEvent[] {
    const told = type === 'message' ? 'text-delta' : 'reasoning-delta'
    return toEvents(told, turns[told].say(`${index} ${type}`, itemAt(index, type).say(delta, place)))
  }

  function begin(index: number, item: unknown): void {
    if (isItem(item)) itemAt(index, item.type).begin(item)
  }

  function end(index: number, item: unknown): readonly ModelEvent[] {
    if (!isItem(item)) return []
    const rest = itemAt(index, item.type).end(item)
    const told = toldAs(item.type)
    if (!told) return []
    const key = `${index} ${item.type}`
    return toEvents(told, turns[told].say(key, rest) + turns[told].end(key))
  }

  /** The last event holds the whole output too, though not with every server; where it agrees, it has what the stream left out. */
  function complete(output: unknown): readonly ModelEvent[] {
    const whole = listOf(output)
    const isSame = [...items.values()].every(({ index, type }) => fieldsOf(whole[index])['type'] === type)
    return [
      ...(isSame ? whole.flatMap((item, index) => end(index, item)) : []),
      ...toEvents('text-delta', turns['text-delta'].endAll()),
      ...toEvents('reasoning-delta', turns['reasoning-delta'].endAll()),
    ]
  }

  return {
    take(event) {
      begun ||= event?.type?.startsWith('response.') ?? false
      switch (event?.type) {
        case 'response.output_item.added':
          begin(event.output_index, event.item)
          return []
        case 'response.output_text.delta':
        case 'response.refusal.delta':
          return say(event.output_index, 'message', event.delta)
        case 'response.reasoning_summary_text.delta':
          return say(event.output_index, 'reasoning', event.delta, `summary ${event.summary_index}`)
        case 'response.reasoning_text.delta':
          return say(event.output_index, 'reasoning', event.delta, `content ${event.content_index}`)
        case 'response.function_call_arguments.delta':
          itemAt(event.output_index, 'function_call').write(event.delta)
          return []
        case 'response.function_call_arguments.done':
          itemAt(event.output_index, 'function_call').wrote(event.arguments, fieldsOf(event)['name'])
          return []
        case 'response.output_item.done':
          return end(event.output_index, event.item)
        case 'response.completed':
        case 'response.incomplete':
          response = event.response
          return response ? complete(response.output) : []
        case 'response.failed':
          throw toApiError(event.response?.error)
        case 'error':
          throw toApiError(event)
        default:
          return []
      }
    },
    isDone: () => response !== undefined,
    finish() {
      if (!response) throw begun ? cutShort() : noReply()
      const said = new Map<ResponseOutputItem, string>()
      const output = inOrder([...items.values()]).flatMap((item) => {
        const grown = item.grown()
        if (grown) said.set(grown, item.said())
        return grown ?? []
      })
      return toModelResponse({ ...response, output }, asked, said)
    },
  }
}

function toldAs(type: string): Told | undefined {
  if (type === 'message') return 'text-delta'
  return type === 'reasoning' ? 'reasoning-delta' : undefined
}

function toEvents(type: Told, text: string): readonly ModelEvent[] {
  return text === '' ? [] : [{ type, text }]
}

/** By their places, unless readers saw them in another order. */
function inOrder(heard: readonly GrowingItem[]): readonly GrowingItem[] {
  const placed = heard.toSorted((first, second) => first.index - second.index)
  const isAsSeen = ['message', 'reasoning'].every((type) => saidBy(placed, type) === saidBy(heard, type))
  return isAsSeen ? placed : heard
}

function saidBy(items: readonly GrowingItem[], type: string): string {
  return items.flatMap((item) => (item.type === type ? item.said() : [])).join('')
}

function isItem(value: unknown): value is ResponseOutputItem {
  return stringOf(fieldsOf(value)['type']) !== ''
}
