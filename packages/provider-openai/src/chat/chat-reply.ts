import type { AssistantMessage, ModelEvent, ReasoningPart, TextPart } from '@orra/core'
import { type Fields, fieldsOf, listOf, stringOf } from '../loose-json.ts'
import { cutShort, gaveUp, namelessCall, noReply } from './broken-reply.ts'
import { estimatedWhereSilent, highestUsage, reportedUsage } from './chat-usage.ts'
import { growingCalls } from './growing-calls.ts'
import { saidIn } from './said-in.ts'
import { sentCharacters } from './sent-characters.ts'
import { type Delta, thoughtSplitter } from './split-thoughts.ts'
import { toStopReason } from './stop-reason.ts'

/** Puts a reply together, of which nothing is believed to be as it should. */
export interface ChatReply {
  /** Takes the next chunk, or all of a reply that comes in one piece; returns what a reader wants to see of it at once. */
  take(chunk: Fields): readonly Delta[]
  /** Whether it may end here, as a reason to end has come. */
  isWhole(): boolean
  /**
   * The rest, once nothing comes any more; last, the whole. `saidSo` is whether the server has said that this was all. Throws
   * `provider.bad-reply` when there was no reply or it cannot be used, `provider.connection` when it ended before its end, and
   * `provider.unavailable` when the server gave up.
   */
  end(saidSo: boolean): readonly ModelEvent[]
}

/** What was asked, and of whom. */
export interface AskedChat {
  readonly provider: string
  readonly body: { readonly model: string; readonly messages: unknown; readonly tools?: unknown }
}

export function chatReply({ provider, body }: AskedChat): ChatReply {
  const thoughts = thoughtSplitter()
  const calls = growingCalls()
  const said: (TextPart | ReasoningPart)[] = []
  let usage = reportedUsage({}, {})
  let { model } = body
  let reason = ''
  let hasBegun = false
  let refuses = false

  function heard(deltas: readonly Delta[]): readonly Delta[] {
    for (const delta of deltas) add(said, delta)
    return deltas
  }

  return {
    take(chunk) {
      const choice = fieldsOf(listOf(chunk['choices'])[0])
      usage = highestUsage(usage, reportedUsage(chunk, choice))
      model = stringOf(chunk['model']).trim() || model
      reason = stringOf(choice['finish_reason']) || reason
      const message = choice['delta'] ?? choice['message']
      hasBegun ||= message !== undefined || reason !== ''
      const piece = fieldsOf(message)
      refuses ||= stringOf(piece['refusal']) !== ''
      calls.take(piece['tool_calls'])
      calls.take(listOf(piece['function_call']).map((called) => ({ function: called })))
      return heard(saidIn(piece, thoughts))
    },
    isWhole: () => reason !== '',
    end(saidSo) {
      if (!hasBegun) throw noReply(provider)
      if (!saidSo && reason === '') throw cutShort(provider)
      const rest = heard(thoughts.rest())
      const called = calls.parts(provider)
      const stopReason = toStopReason(reason, called.length > 0, refuses)
      if (!stopReason) throw gaveUp(provider)
      if (stopReason === 'tool-calls' && called.some(({ name }) => name === '')) throw namelessCall(provider)
      const content: AssistantMessage['content'] = [...said, ...called.filter(({ name }) => name !== '')]
      const made = said.reduce((sum, { text }) => sum + text.length, calls.characters())
      const cost = estimatedWhereSilent(usage, () => sentCharacters([body.messages, body.tools]), made)
      return [...rest, { type: 'finish', message: { role: 'assistant', content }, stopReason, usage: cost, model }]
    },
  }
}

function add(said: (TextPart | ReasoningPart)[], { type, text }: Delta): void {
  const kind = type === 'text-delta' ? 'text' : 'reasoning'
  const last = said.at(-1)
  if (last?.type === kind) said[said.length - 1] = { type: kind, text: last.text + text }
  else said.push({ type: kind, text })
}
