import type { ResponseOutputItem } from 'openai/resources/responses/responses'
import { stringOf } from '../loose-json.ts'
import { answerIn, BETWEEN_THOUGHTS, thoughtIn } from './said-in-item.ts'

/** An output item while it is streamed. Once it is done, nothing changes it. */
export interface GrowingItem {
  readonly type: string
  /** Its place in the output. */
  readonly index: number
  begin(item: ResponseOutputItem): void
  /** More of its text; `place` tells the thoughts of one item apart. Returns what that adds. */
  say(delta: unknown, place?: string): string
  /** More of the arguments of a call. */
  write(delta: unknown): void
  /** The arguments as they came out, which may have more than was streamed. */
  wrote(whole: unknown, name: unknown): void
  /** The item as it came out. Returns the rest of a text of which not all had been said. */
  end(item: ResponseOutputItem): string
  /** All of the text that was returned. */
  said(): string
  /** A copy of the item as it is now; `undefined` for a call of nobody knows what. */
  grown(): ResponseOutputItem | undefined
}

export function growingItem(type: string, index: number): GrowingItem {
  let item = beginning(type)
  let said = ''
  let written = ''
  let at: string | undefined
  let isWhole = false

  return {
    type,
    index,
    begin(given) {
      if (!isWhole) item = given
    },
    say(delta, place) {
      const more = stringOf(delta)
      if (isWhole || more === '') return ''
      const isNext = at !== undefined && at !== place
      at = place
      const added = isNext ? BETWEEN_THOUGHTS + more : more
      said += added
      return added
    },
    write(delta) {
      if (!isWhole) written += stringOf(delta)
    },
    wrote(whole, name) {
      if (isWhole) return
      written = longer(written, stringOf(whole))
      if (stringOf(name)) item ??= { type: 'function_call', name, arguments: '', call_id: '' } as ResponseOutputItem
    },
    end(given) {
      if (isWhole) return ''
      item = given
      isWhole = true
      const finished = textIn(given)
      // What was streamed has been seen; an item that says something else cannot take it back.
      if (!finished.startsWith(said)) return ''
      const rest = finished.slice(said.length)
      said = finished
      return rest
    },
    said: () => said,
    grown() {
      if (item?.type !== 'function_call') return item && { ...item }
      return { ...item, arguments: longer(written, stringOf(item.arguments)) }
    },
  }
}

/** What an item is before anything is known of it. */
function beginning(type: string): ResponseOutputItem | undefined {
  if (type === 'message') return { type, content: [] } as unknown as ResponseOutputItem
  return type === 'reasoning' ? ({ type, summary: [] } as unknown as ResponseOutputItem) : undefined
}

function textIn(item: ResponseOutputItem): string {
  if (item.type === 'message') return answerIn(item)
  return item.type === 'reasoning' ? thoughtIn(item) : ''
}

function longer(first: string, second: string): string {
  return first.length > second.length ? first : second
}
