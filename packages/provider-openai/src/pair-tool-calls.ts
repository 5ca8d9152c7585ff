import type { AssistantMessage, Message, ToolCallPart, ToolMessage, ToolResultPart, UserMessage } from '@orra/core'
import { type CallIds, callIds } from './call-ids.ts'

/** A call in the conversation, under an id that no other has. */
interface Call {
  readonly id: string
  readonly name: string
  /** The place of its message. */
  readonly at: number
  result?: ToolResultPart
}

const NO_RESULT = 'Nothing is known of what came of this call.'
const NO_CALL = '[What a tool answered stood here; its call is no longer part of this conversation.]'

/**
 * Has every message with calls followed by one of all their results, in the order of the calls: results that came late,
 * in another order or after somebody spoke are put where they belong, one that is missing is said to be missing, and
 * words of the user take the place of one whose call is not there. Ids come out as `ids` makes them, and calls that share
 * one are told apart. What needs no change is the very same message or part as before.
 */
export function pairToolCalls(messages: readonly Message[], ids: CallIds = callIds()): readonly Message[] {
  const open = new Map<string, Call[]>()
  const calls = new Map<number, Call[]>()

  function opened(part: ToolCallPart, at: number): ToolCallPart {
    const { callId, name } = part
    const call: Call = { id: ids(callId), name, at }
    listIn(open, callId).push(call)
    listIn(calls, at).push(call)
    return call.id === callId ? part : { ...part, callId: call.id }
  }

  function closed(part: ToolResultPart): boolean {
    const waiting = open.get(part.callId)
    const newest = waiting?.at(-1)?.at
    const index = waiting?.findIndex(({ at }) => at === newest) ?? -1
    const [call] = index < 0 ? [] : (waiting?.splice(index, 1) ?? [])
    if (call) call.result = call.id === part.callId ? part : { ...part, callId: call.id }
    return call !== undefined
  }

  const rest = messages.map((message, at): readonly Message[] => {
    if (message.role === 'assistant') return [withCalls(message, (part) => opened(part, at))]
    if (message.role === 'user') return [message]
    return message.content.flatMap((part) => (closed(part) ? [] : [orphan()]))
  })
  return rest.flatMap((kept, at): readonly Message[] => {
    const made = calls.get(at)
    return made ? [...kept, resultsOf(made)] : kept
  })
}

function withCalls(message: AssistantMessage, opened: (part: ToolCallPart) => ToolCallPart): AssistantMessage {
  const content = message.content.map((part) => (part.type === 'tool-call' ? opened(part) : part))
  return content.every((part, index) => part === message.content[index]) ? message : { role: 'assistant', content }
}

function orphan(): UserMessage {
  return { role: 'user', content: [{ type: 'text', text: NO_CALL }] }
}

function resultsOf(calls: readonly Call[]): ToolMessage {
  return { role: 'tool', content: calls.map(resultOf) }
}

function resultOf({ id, name, result }: Call): ToolResultPart {
  const content = [{ type: 'text', text: NO_RESULT }] as const
  return result ?? { type: 'tool-result', callId: id, name, content, isError: true }
}

function listIn<Key>(lists: Map<Key, Call[]>, key: Key): Call[] {
  const known = lists.get(key)
  if (known) return known
  const list: Call[] = []
  lists.set(key, list)
  return list
}
