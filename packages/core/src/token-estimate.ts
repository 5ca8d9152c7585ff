import type { Message } from './message.ts'

/** What an image or a file costs, where nothing better is known. */
const MEDIA_TOKENS = 1600
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
