import type { Compaction, Conversation, PlacedMessage } from '../log/conversation.ts'
import { type AssistantMessage, textOf, type UserMessage } from '../message.ts'
import { isEmpty } from './repair-turn.ts'

/** What is sent before the turns that are sent: the summary of those before them, and what is pinned of any that are not. */
export function openingOf({ compaction, pins }: Conversation, from: number): readonly PlacedMessage[] {
  const opening: PlacedMessage[] = []
  if (compaction) opening.push({ seq: compaction.through, message: summaryMessage(compaction) })
  const pinned = [...pins]
    .filter(([seq, message]) => seq < from && saysSomething(message))
    .toSorted(([a], [b]) => a - b)
  for (const [seq, message] of pinned) opening.push({ seq, message: pinnedMessage(message) })
  return opening
}

/** The same message each time, for whoever keeps what was made of it. */
const summaries = new WeakMap<Compaction, UserMessage>()
const quotations = new WeakMap<AssistantMessage, UserMessage>()

function summaryMessage(compaction: Compaction): UserMessage {
  const known = summaries.get(compaction)
  if (known) return known
  const made = said(`This is a summary of our conversation until here:\n\n${compaction.summary}`)
  summaries.set(compaction, made)
  return made
}

/** The user speaks first, so what the model said is sent as a quotation. */
function pinnedMessage(message: UserMessage | AssistantMessage): UserMessage {
  if (message.role === 'user') return message
  const known = quotations.get(message)
  if (known) return known
  const made = said(`You said before:\n\n${textOf(message)}`)
  quotations.set(message, made)
  return made
}

function said(text: string): UserMessage {
  return { role: 'user', content: [{ type: 'text', text }] }
}

/** Whether there is anything to send of a message that is pinned: of the model's, its text. */
export function saysSomething(message: UserMessage | AssistantMessage): boolean {
  return message.role === 'user' ? !isEmpty(message) : textOf(message).trim() !== ''
}
