import type Anthropic from '@anthropic-ai/sdk'
import type { AnthropicMessage } from './to-anthropic-messages.ts'

/** The parts of a request that a cache can hold, in the order in which the provider reads them. */
export interface Cacheable {
  readonly tools?: Anthropic.Tool[]
  readonly system?: Anthropic.TextBlockParam[]
  readonly messages: AnthropicMessage[]
}

const MARK = { cache_control: { type: 'ephemeral' } } as const

/**
 * Marks up to which points the prompt may be read from the cache; the API takes four. Tools and instructions stay the
 * same from call to call; of the messages the last two of the user are marked, so that a call finds what the call
 * before it has written.
 */
export function markCacheBreakpoints({ tools, system, messages }: Cacheable): Cacheable {
  const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : [])).slice(-2)
  return {
    ...(tools ? { tools: markLast(tools) } : {}),
    ...(system ? { system: markLast(system) } : {}),
    messages: messages.map((message, index) =>
      users.includes(index) ? { ...message, content: markLast(message.content) } : message,
    ),
  }
}

function markLast<T extends object>(list: readonly T[]): T[] {
  return list.map((item, index) => (index === list.length - 1 ? { ...item, ...MARK } : item))
}
