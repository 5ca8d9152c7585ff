import type Anthropic from '@anthropic-ai/sdk'
import { type AnthropicMessage, isThinking, speaks } from './to-message-blocks.ts'

/**
 * The thinking to ask for. A fixed budget is refused by the API when the reply may not be longer than it, and in the
 * middle of a turn whose first reply was made without thinking, such as another provider's; then there is none. A budget
 * that does not even fit into `maxOutputTokens`, the longest reply of all, is left for the API to judge.
 */
export function fittingThinking(
  messages: readonly AnthropicMessage[],
  maxTokens: number,
  {
    thinking,
    maxOutputTokens,
  }: { readonly thinking?: Anthropic.ThinkingConfigParam; readonly maxOutputTokens: number },
): Anthropic.ThinkingConfigParam | undefined {
  if (thinking?.type !== 'enabled') return thinking
  if (thinking.budget_tokens >= maxTokens && maxTokens < maxOutputTokens) return undefined
  const spoke = messages.findLastIndex(({ role, content }) => role === 'user' && speaks(content))
  const [first] = messages[spoke + 1]?.content ?? []
  return first && !isThinking(first) ? undefined : thinking
}
