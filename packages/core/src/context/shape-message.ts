import type { JsonValue } from '../json.ts'
import type { PlacedMessage } from '../log/conversation.ts'
import { type AssistantMessage, type ContentPart, type Message, type ToolMessage, textOf } from '../message.ts'
import { clipText, type LeftOut } from './clip-text.ts'
import type { Measure } from './measure.ts'

/** Makes messages smaller. What it makes of a message is kept, so that it is the same from call to call. */
export interface Shaper {
  /** Tool results not above their most. */
  clipped(placed: PlacedMessage): Shaped
  /** Tool results as a line that says that they were left out, unless they are as short as that. */
  bare(placed: PlacedMessage): Shaped
  /** Nothing in it above so many tokens, and no thoughts. */
  squeezed(placed: PlacedMessage, maxTokens: number): Shaped
}

/** A message as it is sent. */
export interface Shaped {
  readonly message: Message
  readonly tokens: number
  /** What of it is not sent, in tokens; 0 for a whole one. */
  readonly leftOut: number
}

export interface ShaperOptions {
  readonly measure: Measure
  readonly model: string
  /** The most of one tool result, in tokens. @default all of it */
  readonly maxResultTokens?: number | undefined
  /** Whether the model can read results by itself. */
  readonly canRead: boolean
}

/** Below so many tokens nothing is won by leaving a result out. */
const SHORT_TOKENS = 60
/** What a note of something missing may take, in tokens. */
const NOTE_TOKENS = 40

export function createShaper({ measure, model, maxResultTokens, canRead }: ShaperOptions): Shaper {
  const clippings = new WeakMap<Message, Shaped>()
  const bares = new WeakMap<Message, Shaped>()
  const count = (text: string) => measure.text(text, model)

  function whole(message: Message): Shaped {
    return { message, tokens: measure.message(message, model), leftOut: 0 }
  }

  function smaller(message: Message, made: Message): Shaped {
    const tokens = measure.message(made, model)
    return { message: made, tokens, leftOut: Math.max(0, measure.message(message, model) - tokens) }
  }

  function kept(made: WeakMap<Message, Shaped>, message: Message, make: () => Shaped): Shaped {
    const known = made.get(message)
    if (known) return known
    const shaped = make()
    made.set(message, shaped)
    return shaped
  }

  /** Text in proportion, and media for as long as they fit; `offset` is that of the first character among all of the message. */
  function clipContent(content: readonly ContentPart[], maxTokens: number, note: Note, offset = 0) {
    const tokensOf = (part: ContentPart) => measure.part(part, model)
    const total = content.reduce((sum, part) => sum + tokensOf(part), 0)
    if (total <= maxTokens) return content
    let start = offset
    let mediaTokens = 0
    return content.map((part): ContentPart => {
      const tokens = tokensOf(part)
      if (part.type !== 'text') {
        mediaTokens += tokens
        return mediaTokens <= maxTokens ? part : { type: 'text', text: tooLarge(part) }
      }
      const base = start
      start += part.text.length
      const placedNote: Note = ({ from, to }) => note({ from: base + from, to: base + to })
      const share = Math.floor((maxTokens * tokens) / total)
      return { type: 'text', text: clipToTokens({ text: part.text, tokens }, share, count, placedNote) }
    })
  }

  function clipResults({ seq, message }: PlacedMessage<ToolMessage>, maxTokens: number): ToolMessage {
    const note: Note = (left) => clippedNote(canRead ? seq : undefined, left)
    let offset = 0
    const content = message.content.map((part) => {
      const clipped = { ...part, content: clipContent(part.content, maxTokens, note, offset) }
      offset += textOf(part.content).length
      return clipped
    })
    return { role: 'tool', content }
  }

  function squeeze(placed: PlacedMessage, maxTokens: number): Message {
    const { message } = placed
    if (isToolMessage(placed)) return clipResults(placed, maxTokens)
    const note: Note = (left) => clippedNote(undefined, left)
    if (message.role === 'user') return { role: 'user', content: clipContent(message.content, maxTokens, note) }
    if (message.role === 'tool') return message
    const content = message.content.flatMap((part): AssistantMessage['content'] => {
      if (part.type === 'reasoning') return []
      if (part.type === 'text')
        return [
          {
            ...part,
            text: clipToTokens({ text: part.text, tokens: measure.part(part, model) }, maxTokens, count, note),
          },
        ]
      if (count(JSON.stringify(part.input)) <= maxTokens) return [part]
      return [{ ...part, input: clipInput(part.input, maxTokens, count, note) }]
    })
    return { role: 'assistant', content }
  }

  return {
    clipped(placed) {
      const { message } = placed
      if (!isToolMessage(placed) || maxResultTokens === undefined) return whole(message)
      return kept(clippings, message, () => {
        const isLarge = measure.message(message, model) > maxResultTokens
        return isLarge ? smaller(message, clipResults(placed, maxResultTokens)) : whole(message)
      })
    },

    bare(placed) {
      const { seq, message } = placed
      if (!isToolMessage(placed) || measure.message(message, model) <= SHORT_TOKENS) return this.clipped(placed)
      return kept(bares, message, () => {
        const content = placed.message.content.map((part) => ({
          ...part,
          content: [{ type: 'text', text: bareNote(canRead ? seq : undefined) } as const],
        }))
        return smaller(message, { role: 'tool', content })
      })
    },

    squeezed(placed, maxTokens) {
      const { message } = placed
      return smaller(message, squeeze(placed, maxTokens))
    },
  }
}

function isToolMessage(placed: PlacedMessage): placed is PlacedMessage<ToolMessage> {
  return placed.message.role === 'tool'
}

/** A text that is counted already. */
interface CountedText {
  readonly text: string
  readonly tokens: number
}

type Note = (left: LeftOut) => string

/** A text of not much more than so many tokens. */
function clipToTokens(
  { text, tokens }: CountedText,
  maxTokens: number,
  count: (text: string) => number,
  note: Note,
): string {
  if (tokens <= maxTokens) return text
  const aim = Math.max(1, maxTokens - NOTE_TOKENS)
  for (let length = Math.floor((text.length * aim) / tokens); ; length = Math.floor(length / 2)) {
    const clipped = clipText(text, length, note)
    if (length === 0 || count(clipped) <= Math.max(maxTokens, NOTE_TOKENS)) return clipped
  }
}

/** What a tool was called with stays an object with the same names; long texts in it are clipped. */
function clipInput(input: JsonValue, maxTokens: number, count: (text: string) => number, note: Note): JsonValue {
  const counted = (text: string): CountedText => ({ text, tokens: count(text) })
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    const entries = Object.entries(input)
    const share = Math.floor(maxTokens / entries.length)
    const clipped = Object.fromEntries(
      entries.map(([name, value]) => {
        const text = counted(typeof value === 'string' ? value : JSON.stringify(value))
        return [name, text.tokens <= share ? value : clipToTokens(text, share, count, note)]
      }),
    )
    if (count(JSON.stringify(clipped)) <= 2 * maxTokens + NOTE_TOKENS) return clipped
  }
  return { input: clipToTokens(counted(JSON.stringify(input)), maxTokens, count, note) }
}

function clippedNote(seq: number | undefined, { from, to }: LeftOut): string {
  const how = seq === undefined ? '' : `; read_result({"result":${seq},"offset":${from}}) reads on there`
  return `\n[… ${to - from} characters are left out here${how} …]\n`
}

function bareNote(seq: number | undefined): string {
  const how = seq === undefined ? '' : `; read_result({"result":${seq}}) reads it`
  return `[This result is no longer shown${how}.]`
}

function tooLarge({ type, mediaType }: Exclude<ContentPart, { type: 'text' }>): string {
  return `[The ${type} (${mediaType}) is too large to be shown.]`
}
