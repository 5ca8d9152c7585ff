import type Anthropic from '@anthropic-ai/sdk'
import { type AnthropicMessage, speaks } from './to-message-blocks.ts'

/** The parts of a request that a cache can hold, in the order in which the provider reads them. */
export interface Cacheable {
  readonly tools?: Anthropic.Tool[]
  readonly system?: Anthropic.TextBlockParam[]
  readonly messages: AnthropicMessage[]
}

const MARK = { cache_control: { type: 'ephemeral' } } as const
const MOST_MARKS = 4
/** From a mark, the provider looks for what it has kept at that block and at so many before it. */
const LOOKBACK_BLOCKS = 19

/**
 * Marks up to which points the prompt may be read from the cache; the API takes four marks.
 *
 * Of the messages, the last of the user is marked, and the one before it: there the call before ended, so that what that
 * call wrote is found however many blocks were added since. Where a turn began is marked too when it is further back than
 * the provider looks: some models forget a turn's thinking once the next turn begins, and with it all that they have kept
 * of that turn but its beginning. The rest goes to the instructions and the tools, which stay the same from call to call.
 */
export function markCacheBreakpoints({ tools, system, messages }: Cacheable): Cacheable {
  const marked = markedMessages(messages)
  const room = MOST_MARKS - marked.size - (system ? 1 : 0)
  return {
    ...(tools ? { tools: room > 0 ? markLast(tools) : tools } : {}),
    ...(system ? { system: markLast(system) } : {}),
    messages: messages.map(({ role, content }, index) => ({
      role,
      content: marked.has(index) ? markLast(content) : content,
    })),
  }
}

function markedMessages(messages: readonly AnthropicMessage[]): ReadonlySet<number> {
  const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []))
  const marked = users.slice(-2)
  const [before = 0] = marked
  const began = users.findLast((index) => index <= before && speaks(messages[index]?.content ?? []))
  if (began === undefined) return new Set(marked)
  const between = messages.slice(began + 1, before + 1).reduce((sum, { content }) => sum + content.length, 0)
  return new Set(between > LOOKBACK_BLOCKS ? [began, ...marked] : marked)
}

function markLast<T extends object>(list: readonly T[]): T[] {
  return list.map((item, index) => (index === list.length - 1 ? { ...item, ...MARK } : item))
}
