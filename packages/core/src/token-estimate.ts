import type { ContentPart, Message } from './message.ts'

/** What an image or a file costs, where nothing better is known. */
const MEDIA_TOKENS = 1600
/** More than providers make of the largest image. */
const MOST_IMAGE_TOKENS = 6000
/** Role, separators and the like. */
const MESSAGE_TOKENS = 4

/** A rough count for any model: 3.5 bytes of UTF-8 a token, which errs on the side of too many for English. */
export function estimateTextTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3.5)
}

/** A rough count of a whole message; made once, when it joins the conversation. */
export function estimateTokens(message: Message): number {
  let tokens = MESSAGE_TOKENS
  for (const part of message.content) {
    if (part.type === 'tool-result') tokens += estimateTokens({ role: 'user', content: part.content })
    else if (part.type === 'tool-call') tokens += estimateTextTokens(part.name + (JSON.stringify(part.input) ?? ''))
    else if (part.type === 'text' || part.type === 'reasoning') tokens += estimateTextTokens(part.text)
    else tokens += MEDIA_TOKENS
  }
  return tokens
}

/**
 * By how many tokens images and files may cost more than the estimate says, for what must not be too small: a token for
 * each byte of a file, and any number for one that the provider fetches.
 */
export function mediaBeyondEstimate(messages: readonly Message[]): number {
  let tokens = 0
  for (const { content } of messages) {
    for (const part of content) {
      if (part.type === 'tool-result') for (const inner of part.content) tokens += beyondEstimate(inner)
      else if (part.type === 'image' || part.type === 'file') tokens += beyondEstimate(part)
    }
  }
  return tokens
}

function beyondEstimate(part: ContentPart): number {
  if (part.type === 'text') return 0
  if (part.type === 'image') return MOST_IMAGE_TOKENS - MEDIA_TOKENS
  if (part.data === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, Math.ceil((part.data.length * 3) / 4) - MEDIA_TOKENS)
}
