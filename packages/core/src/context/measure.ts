import { recentlyUsed } from '../gate/recently-used.ts'
import type { JsonObject } from '../json.ts'
import type { ContentPart, FilePart, ImagePart, Message } from '../message.ts'
import type { ModelRequest, Provider, ToolSpec } from '../provider.ts'
import { estimateTextTokens } from './estimate-text.ts'
import type { TokenCounter } from './token-counter.ts'

/** Estimates what parts of a request cost, in tokens. What is counted once is kept for as long as it lives. */
export interface Measure {
  text(text: string, model: string): number
  part(part: ContentPart, model: string): number
  message(message: Message, model: string): number
  instructions(instructions: string, model: string): number
  /** What tells the model how its answer is to look. */
  output(schema: JsonObject | undefined, model: string): number
  tools(tools: readonly ToolSpec[], model: string): number
}

/** Role, separators and the like. */
const MESSAGE_TOKENS = 4
/** What a call or a result is wrapped in. */
const CALL_TOKENS = 8
/** An image or a file of which nobody knows more. */
export const MEDIA_TOKENS = 1600
/** Of thoughts that come back sealed, about this many characters are a token. */
const SEALED_CHARACTERS = 5

/** For so many models it is known what something costs. */
const MOST_MODELS = 4
/** Instructions that are kept in mind: those of a runtime's agents, or of the users who are at work. */
const MOST_INSTRUCTIONS = 50

export function createMeasure(counter: TokenCounter, { mediaTokens }: Pick<Provider, 'mediaTokens'>): Measure {
  const parts = keptByModel<ContentPart>()
  const messages = keptByModel<Message>()
  const specs = keptByModel<ToolSpec>()
  const outputs = keptByModel<JsonObject>()
  const instructed = recentlyUsed<number>(MOST_INSTRUCTIONS)

  function text(value: string, model: string): number {
    return value === '' ? 0 : asCount(counter.countText(value, model), value)
  }

  function content(part: ContentPart, model: string): number {
    return parts(part, model, () => {
      if (part.type === 'text') return text(part.text, model)
      const known = mediaTokens?.(part, model)
      return known === undefined ? mediaBySize(part, (value) => text(value, model)) : asCount(known, '')
    })
  }

  function any(part: Message['content'][number], model: string): number {
    switch (part.type) {
      case 'tool-call':
        return CALL_TOKENS + text(part.name, model) + text(JSON.stringify(part.input) ?? '', model)
      case 'tool-result':
        return part.content.reduce((sum, inner) => sum + content(inner, model), CALL_TOKENS)
      case 'reasoning':
        return part.text === '' ? sealed(part.providerData) : text(part.text, model)
      default:
        return content(part, model)
    }
  }

  return {
    text,
    part: content,
    message: (message, model) =>
      messages(message, model, () =>
        (message.content as Message['content'][number][]).reduce((sum, part) => sum + any(part, model), MESSAGE_TOKENS),
      ),
    instructions(instructions, model) {
      const key = `${model}\n${instructions}`
      const tokens = instructed.get(key) ?? text(instructions, model)
      instructed.set(key, tokens)
      return tokens
    },
    output: (schema, model) =>
      schema ? outputs(schema, model, () => CALL_TOKENS + text(JSON.stringify(schema), model)) : 0,
    tools: (tools, model) =>
      tools.reduce((sum, spec) => sum + specs(spec, model, () => CALL_TOKENS + text(JSON.stringify(spec), model)), 0),
  }
}

/** What a counter says, as a number that can be kept and read again; an estimate where it says none. */
function asCount(tokens: number, text: string): number {
  return tokens >= 0 && tokens < Number.MAX_SAFE_INTEGER ? Math.ceil(tokens) : estimateTextTokens(text)
}

/** Numbers by object and model. */
function keptByModel<T extends object>() {
  const kept = new WeakMap<T, Map<string, number>>()
  return (key: T, model: string, count: () => number): number => {
    const known = kept.get(key) ?? new Map<string, number>()
    const tokens = known.get(model) ?? count()
    if (known.size >= MOST_MODELS) known.clear()
    kept.set(key, known.set(model, tokens))
    return tokens
  }
}

function mediaBySize(part: ImagePart | FilePart, text: (value: string) => number): number {
  if (part.type === 'image' || part.data === undefined) return MEDIA_TOKENS
  if (/^text\/|[/+](json|xml)$/.test(part.mediaType)) return text(Buffer.from(part.data, 'base64').toString())
  return MEDIA_TOKENS
}

function sealed(data: object | undefined): number {
  return data ? Math.ceil(JSON.stringify(data).length / SEALED_CHARACTERS) : 0
}

/** All of a request that is sent as it stands. */
export function requestTokens(
  measure: Measure,
  { instructions = '', tools, messages, outputSchema, model = '' }: ModelRequest,
): number {
  const opening = measure.instructions(instructions, model) + measure.tools(tools, model)
  const fixed = opening + measure.output(outputSchema, model)
  return messages.reduce((sum, message) => sum + measure.message(message, model), fixed)
}
