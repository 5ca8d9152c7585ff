import { type ContentPart, type ToolMessage, textOf } from '../message.ts'
import type { SessionLog } from '../store/session-log.ts'
import { defineTool, type Tool } from '../tool.ts'
import { characterBorder, nextBorder } from './clip-text.ts'

export const READ_RESULT = 'read_result'

interface ReadResultOptions {
  readonly sessions: SessionLog
  /** Of one page, in tokens; asked for each. */
  readonly maxTokens: () => number
  readonly count: (text: string) => number
}

/** More than any tokenizer makes of a token. */
const CHARACTERS_PER_TOKEN = 8
/** What a page says of the rest, in tokens. */
const NOTE_TOKENS = 40

/**
 * A tool named `read_result`: the model reads, page by page, what a tool has returned in this conversation and what is no
 * longer shown whole. It knows the result by its place in the log, and so can read no other session's.
 */
export function readResult({ sessions, maxTokens, count }: ReadResultOptions): Tool {
  return defineTool({
    name: READ_RESULT,
    description: 'Reads an earlier tool result that is not shown whole, where the conversation says so.',
    input: {
      type: 'object',
      properties: {
        result: { type: 'integer', minimum: 1, description: 'The number of the result, as the conversation gives it.' },
        offset: { type: 'integer', minimum: 0, description: 'After how many characters to begin. 0 if left out.' },
      },
      required: ['result'],
      additionalProperties: false,
    },
    readOnly: true,
    async execute(input, { namespace, signal }) {
      const { result, offset = 0 } = input as { readonly result: number; readonly offset?: number }
      const [logged] = await sessions.read(namespace, { after: result - 1, limit: 1, signal })
      const message = logged?.entry.type === 'message' ? logged.entry.message : undefined
      if (message?.role !== 'tool') throw new Error(`There is no result ${result} in this conversation.`)
      const { text, media } = partsOf(message)
      if (offset >= text.length && offset > 0) throw new Error(`The result ${result} has ${text.length} characters.`)
      const page = pageFrom(text, offset, maxTokens() - NOTE_TOKENS, count)
      return [{ type: 'text', text: page }, ...(offset === 0 ? media : [])]
    },
  })
}

function partsOf({ content }: ToolMessage): { readonly text: string; readonly media: readonly ContentPart[] } {
  const parts = content.flatMap((result) => result.content)
  return { text: textOf(parts), media: parts.filter(({ type }) => type !== 'text') }
}

function pageFrom(text: string, offset: number, maxTokens: number, count: (text: string) => number): string {
  const from = characterBorder(text, offset) === offset ? offset : nextBorder(text, offset)
  const next = nextBorder(text, from)
  let to = text.length
  for (let length = maxTokens * CHARACTERS_PER_TOKEN; ; length = Math.floor(length / 2)) {
    to = Math.max(next, characterBorder(text, from + length))
    if (to === next || count(text.slice(from, to)) <= maxTokens) break
  }
  const page = text.slice(from, to)
  return to < text.length ? `${page}\n[… ${text.length - to} characters follow, from the offset ${to} on]` : page
}
