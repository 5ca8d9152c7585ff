import type { Message } from '@orra/core'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { limitMedia } from '../limit-media.ts'
import { pairToolCalls } from '../pair-tool-calls.ts'
import { toMessageItems, type WholeItems } from './to-message-items.ts'

const GO_ON: ResponseInputItem = {
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: '[Go on.]' }],
}

/**
 * The conversation as the Responses API takes it, whatever state the log is in: every call is followed by its output, no id is
 * there twice, what `model` thought comes back to it whole, unless all is to be `isPlain`, and the user or a tool speaks last.
 */
export function toInputItems(messages: readonly Message[], model: string, isPlain = false): ResponseInputItem[] {
  const ids = new Set<string>()
  const isUnseen = ({ ids: own }: WholeItems) => new Set(own).size === own.length && own.every((id) => !ids.has(id))
  const items = limitMedia(pairToolCalls(messages)).flatMap((message): readonly ResponseInputItem[] => {
    const { plain, whole } = toMessageItems(message)
    if (isPlain || whole?.model !== model || !isUnseen(whole)) return plain
    for (const id of whole.ids) ids.add(id)
    return whole.items
  })
  const last = items.at(-1)
  return last && !('role' in last && last.role === 'assistant') ? items : [...items, GO_ON]
}
