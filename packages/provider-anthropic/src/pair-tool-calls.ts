import type Anthropic from '@anthropic-ai/sdk'
import type { AnthropicMessage } from './to-message-blocks.ts'

/** A call in the conversation, under an id that no other has. */
interface Call {
  readonly id: string
  /** The place of its message. */
  readonly at: number
  result?: Anthropic.ToolResultBlockParam
}

const NO_RESULT = 'Nothing is known of what came of this call.'
const NO_CALL = '[What a tool answered stood here; its call is no longer part of this conversation.]'

/**
 * Has every message with calls followed by one of all their results, in the order of the calls: results that came late,
 * in another order or after somebody spoke are put where they belong, one that is missing is said to be missing, and
 * words take the place of one whose call is not there. Calls that share an id are told apart.
 */
export function pairToolCalls(messages: readonly AnthropicMessage[]): AnthropicMessage[] {
  const ids = new Map<string, number>()
  const open = new Map<string, Call[]>()
  const calls = new Map<number, Call[]>()

  function opened(block: Anthropic.ToolUseBlockParam, at: number): Anthropic.ToolUseBlockParam {
    const call: Call = { id: unusedId(block.id, ids), at }
    listIn(open, block.id).push(call)
    listIn(calls, at).push(call)
    return call.id === block.id ? block : { ...block, id: call.id }
  }

  function closed(block: Anthropic.ToolResultBlockParam): boolean {
    const waiting = open.get(block.tool_use_id)
    const newest = waiting?.at(-1)?.at
    const index = waiting?.findIndex(({ at }) => at === newest) ?? -1
    const [call] = index < 0 ? [] : (waiting?.splice(index, 1) ?? [])
    if (call) call.result = block.tool_use_id === call.id ? block : { ...block, tool_use_id: call.id }
    return call !== undefined
  }

  const rest = messages.map((message, at): AnthropicMessage => {
    const { role, content } = message
    if (!content.some(isOfTool)) return message
    const kept = content.flatMap((block): readonly Anthropic.ContentBlockParam[] => {
      if (block.type === 'tool_use') return [opened(block, at)]
      if (block.type !== 'tool_result') return [block]
      return closed(block) ? [] : [{ type: 'text', text: NO_CALL }]
    })
    return { role, content: kept }
  })
  return rest.flatMap((message, at) => {
    const made = calls.get(at)
    return made ? [message, { role: 'user', content: made.map(resultOf) }] : [message]
  })
}

function isOfTool({ type }: Anthropic.ContentBlockParam): boolean {
  return type === 'tool_use' || type === 'tool_result'
}

function resultOf({ id, result }: Call): Anthropic.ToolResultBlockParam {
  return result ?? { type: 'tool_result', tool_use_id: id, content: NO_RESULT, is_error: true }
}

/** `used` holds each id with how often it was asked for. */
function unusedId(id: string, used: Map<string, number>): string {
  let count = used.get(id) ?? 0
  let unused = id
  while (used.has(unused)) {
    count += 1
    unused = `${id}-${count}`
  }
  used.set(id, Math.max(1, count)).set(unused, used.get(unused) ?? 1)
  return unused
}

function listIn<Key>(lists: Map<Key, Call[]>, key: Key): Call[] {
  const known = lists.get(key)
  if (known) return known
  const list: Call[] = []
  lists.set(key, list)
  return list
}
