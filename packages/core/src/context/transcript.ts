import type { Turn } from '../log/conversation.ts'
import { type ContentPart, type Message, type ToolCallPart, textOf } from '../message.ts'
import { clipText } from './clip-text.ts'
import { legalMessages } from './repair-turn.ts'
import type { Shaper } from './shape-message.ts'

/** The most of one message, in tokens. */
const MESSAGE_TOKENS = 2000

/** Of more pieces only the newest are read. */
const MOST_PIECES = 12

/**
 * What was said and done in some turns, as text, in pieces of at most so many tokens. Thoughts are not in it, nor the
 * beginning of what is very long.
 */
export function transcriptOf(
  turns: readonly Turn[],
  shaper: Shaper,
  { maxTokens, count }: { readonly maxTokens: number; readonly count: (text: string) => number },
): readonly string[] {
  const most = Math.min(MESSAGE_TOKENS, maxTokens)
  const pieces: string[][] = []
  let room = 0
  // From the end, so that of what is too much the beginning is left out.
  for (const placed of turns.flatMap(legalMessages).reverse()) {
    const said = within(inWords(shaper.squeezed(placed, most).message), maxTokens, count)
    const tokens = count(said)
    if (tokens > room) {
      if (pieces.length === MOST_PIECES) break
      pieces.unshift([])
      room = maxTokens
    }
    room -= tokens
    pieces[0]?.unshift(said)
  }
  return pieces.map((piece) => piece.join('\n\n'))
}

function within(text: string, maxTokens: number, count: (text: string) => number): string {
  const tokens = count(text)
  return tokens <= maxTokens ? text : clipText(text, Math.floor((text.length * maxTokens) / tokens / 2), () => ' … ')
}

function inWords(message: Message): string {
  switch (message.role) {
    case 'user':
      return `User: ${contentInWords(message.content)}`
    case 'assistant': {
      const text = textOf(message)
      const calls = message.content.filter((part) => part.type === 'tool-call').map(callInWords)
      return [...(text === '' ? [] : [`Assistant: ${text}`]), ...calls].join('\n')
    }
    case 'tool':
      return message.content
        .map(
          ({ name, content, isError }) => `${isError ? 'Error of' : 'Result of'} ${name}: ${contentInWords(content)}`,
        )
        .join('\n')
  }
}

function callInWords({ name, input }: ToolCallPart): string {
  return `Assistant called ${name} with ${JSON.stringify(input)}`
}

function contentInWords(content: readonly ContentPart[]): string {
  return content.map((part) => (part.type === 'text' ? part.text : `[${part.type}: ${part.mediaType}]`)).join('\n')
}
