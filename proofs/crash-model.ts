import { setTimeout as delay } from 'node:timers/promises'
import type { Message, ModelRequest, Provider, ToolCallPart } from '@orra/core'
import { textOf } from '@orra/core'
import { answerToNote, isFirstNote, SUMMARY_MODEL, summaryOfNotes } from './crash-notes.ts'

type Call = Pick<ToolCallPart, 'name' | 'input'>

const plain = (name: string): Call => ({ name, input: {} })
const tearDown = (room: string): Call => ({ name: 'tear_down', input: { room } })
const send = (task: string): Call => ({ name: 'spawn_agent', input: { task } })

/** How long a summary takes, in milliseconds, so that the next message comes meanwhile. */
const WHILE_MS = 30

/** Which tools a message leads to; any other is answered at once. */
const PLANS: { readonly [text: string]: readonly Call[] } = {
  arrange: ['look_up', 'remember', 'pay', 'book'].map(plain),
  wait: [plain('wait_for_word')],
  pay: [plain('pay')],
  dawdle: [plain('dawdle')],
  'clear out': [tearDown('red'), plain('look_up'), tearDown('blue')],
  'clear the green one': [tearDown('green')],
  'have it cleared out': [send('clear the red one'), send('clear the blue one')],
  'clear the red one': [tearDown('red')],
  'clear the blue one': [tearDown('blue')],
}

/** A model that looks only at the conversation: it asks for tools after a message with a plan, and answers or sums up all else. */
export const provider: Provider = {
  name: 'planned',
  model: 'planned-1',
  async *stream(request, { signal } = {}) {
    const { model = 'planned-1', messages } = request
    const last = messages.at(-1) as Message
    const plan = last.role === 'user' ? (PLANS[textOf(last)] ?? []) : []
    const calls = plan.map((call): ToolCallPart => ({ type: 'tool-call', callId: crypto.randomUUID(), ...call }))
    const said = plan.length > 0 ? 'One moment.' : answerTo(request)
    for (const text of said.split(/(?<= )/)) yield { type: 'text-delta', text }
    if (model === SUMMARY_MODEL || isFirstNote(messages)) await delay(WHILE_MS, undefined, { signal })
    yield {
      type: 'finish',
      message: { role: 'assistant', content: [{ type: 'text', text: said }, ...calls] },
      stopReason: plan.length > 0 ? 'tool-calls' : 'stop',
      usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
      model,
    }
  },
}

function answerTo({ model, messages }: ModelRequest): string {
  if (model === SUMMARY_MODEL) return summaryOfNotes(messages)
  return answerToNote(messages) ?? `That was message ${messages.length}.`
}
