import type { Message, Provider, ToolCallPart } from '@orra/core'
import { textOf } from '@orra/core'

/** Which tools a message leads to; any other is answered at once. */
const PLANS: { readonly [text: string]: readonly string[] } = {
  arrange: ['look_up', 'remember', 'pay', 'book'],
  wait: ['wait_for_word'],
  pay: ['pay'],
  dawdle: ['dawdle'],
}

/** A model that looks only at the conversation: it asks for tools after a message with a plan, and answers all else. */
export const provider: Provider = {
  name: 'planned',
  model: 'planned-1',
  async *stream({ messages }) {
    const last = messages.at(-1) as Message
    const plan = last.role === 'user' ? (PLANS[textOf(last)] ?? []) : []
    const calls = plan.map(
      (name): ToolCallPart => ({ type: 'tool-call', callId: crypto.randomUUID(), name, input: {} }),
    )
    const said = plan.length > 0 ? 'One moment.' : `That was message ${messages.length}.`
    for (const text of said.split(/(?<= )/)) yield { type: 'text-delta', text }
    yield {
      type: 'finish',
      message: { role: 'assistant', content: [{ type: 'text', text: said }, ...calls] },
      stopReason: plan.length > 0 ? 'tool-calls' : 'stop',
      usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
      model: 'planned-1',
    }
  },
}
