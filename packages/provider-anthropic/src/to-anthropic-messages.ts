import type Anthropic from '@anthropic-ai/sdk'
import type { Message } from '@orra/core'
import { pairToolCalls } from './pair-tool-calls.ts'
import { type AnthropicMessage, isThinking, toMessageBlocks } from './to-message-blocks.ts'

const BEFORE = '[What was said before is no longer shown.]'
const GO_ON = '[Go on.]'

/**
 * The conversation as the Messages API takes it, whatever state the log is in: every call is followed by its result,
 * neighbours of one side are joined so that the two alternate, and the user speaks first and last.
 */
export function toAnthropicMessages(messages: readonly Message[]): AnthropicMessage[] {
  const joined: { readonly role: AnthropicMessage['role']; readonly content: Anthropic.ContentBlockParam[] }[] = []
  for (const { role, content } of pairToolCalls(messages.map(toMessageBlocks))) {
    const last = joined.at(-1)
    if (content.length === 0) continue
    if (last?.role !== role) joined.push({ role, content: [...content] })
    // Thinking stands first in a message, so only the first of those that are joined keeps its own.
    else last.content.push(...content.filter((block) => !isThinking(block)))
  }
  if (joined[0]?.role !== 'user') joined.unshift(spoken(BEFORE))
  if (joined.at(-1)?.role !== 'user') joined.push(spoken(GO_ON))
  return joined
}

function spoken(text: string): { readonly role: 'user'; readonly content: Anthropic.ContentBlockParam[] } {
  return { role: 'user', content: [{ type: 'text', text }] }
}
