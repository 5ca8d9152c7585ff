import type { PlacedMessage, Turn } from '../log/conversation.ts'
import { type AssistantMessage, type Message, type ToolMessage, toolCallsOf } from '../message.ts'

/** What stands for a result that no log has. */
const NO_RESULT = 'Nothing is known of what came of this call.'

const repairedTurns = new WeakMap<Turn, { readonly of: number; readonly messages: readonly PlacedMessage[] }>()

/** The messages of a turn, repaired once for as many as it has. */
export function legalMessages(turn: Turn): readonly PlacedMessage[] {
  const known = repairedTurns.get(turn)
  if (known?.of === turn.messages.length) return known.messages
  const messages = repairTurn([...turn.messages])
  repairedTurns.set(turn, { of: turn.messages.length, messages })
  return messages
}

/**
 * The messages of a turn as any provider takes them: first the user speaks, every call is followed by its one result, no
 * result lacks its call, and nobody says nothing. The same list when it is so already. Logs that orra wrote are; those
 * that were imported, or written by a store with a fault, may not be.
 */
function repairTurn(messages: readonly PlacedMessage[]): readonly PlacedMessage[] {
  if (isLegal(messages)) return messages
  const repaired: PlacedMessage[] = []
  let open = new Map<string, string>()
  const close = (seq: number) => {
    for (const [callId, name] of open) repaired.push({ seq, message: noResult(callId, name) })
    open = new Map()
  }
  for (const placed of messages) {
    const { seq, message } = placed
    if (message.role === 'tool') {
      const results = message.content.filter(({ callId }) => open.delete(callId))
      if (results.length === 0) continue
      if (results.length === message.content.length) repaired.push(placed)
      else repaired.push({ seq, message: { role: 'tool', content: results } })
      continue
    }
    close(seq)
    if (isEmpty(message) || (repaired.length === 0 && message.role !== 'user')) continue
    if (message.role === 'user') {
      repaired.push(placed)
      continue
    }
    const once = withEachCallOnce(message)
    open = new Map(toolCallsOf(once).map(({ callId, name }) => [callId, name]))
    repaired.push(once === message ? placed : { seq, message: once })
  }
  close(messages.at(-1)?.seq ?? 0)
  return repaired
}

function isLegal(messages: readonly PlacedMessage[]): boolean {
  if (messages[0]?.message.role !== 'user') return messages.length === 0
  const open = new Set<string>()
  for (const { message } of messages) {
    if (isEmpty(message)) return false
    if (message.role === 'tool') {
      for (const { callId } of message.content) if (!open.delete(callId)) return false
      continue
    }
    if (open.size > 0) return false
    if (message.role === 'user') continue
    for (const part of message.content) {
      if (part.type !== 'tool-call') continue
      if (open.has(part.callId)) return false
      open.add(part.callId)
    }
  }
  return open.size === 0
}

/** Thoughts alone say nothing, and blank text does not. */
export function isEmpty({ content }: Message): boolean {
  return (content as readonly Message['content'][number][]).every(
    (part) => part.type === 'reasoning' || (part.type === 'text' && part.text.trim() === ''),
  )
}

function withEachCallOnce(message: AssistantMessage): AssistantMessage {
  const seen = new Set<string>()
  const content = message.content.filter((part) => {
    if (part.type !== 'tool-call') return true
    if (seen.has(part.callId)) return false
    seen.add(part.callId)
    return true
  })
  return content.length === message.content.length ? message : { ...message, content }
}

function noResult(callId: string, name: string): ToolMessage {
  const content = [{ type: 'text', text: NO_RESULT } as const]
  return { role: 'tool', content: [{ type: 'tool-result', callId, name, content, isError: true }] }
}
