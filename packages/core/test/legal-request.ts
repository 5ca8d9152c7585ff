import type { Message } from '@orra/core'

/**
 * What is wrong with messages that are to be sent, by what `ModelRequest` promises and every model API asks for. Written
 * from those, and knows nothing of how they were made.
 */
export function problemsIn(messages: readonly Message[]): readonly string[] {
  const problems: string[] = []
  const open = new Set<string>()
  if (messages[0]?.role !== 'user') problems.push('the first message is not the user’s')
  for (const [index, message] of messages.entries()) {
    const problem = (text: string) => problems.push(`message ${index}: ${text}`)
    if (message.content.length === 0) problem('it has no parts')
    if (message.content.every((part) => part.type === 'text' && part.text.trim() === '')) problem('it is blank')
    if (message.content.every(({ type }) => type === 'reasoning')) problem('it holds thoughts alone')
    if (message.role === 'tool') {
      for (const { callId, content } of message.content) {
        if (!open.delete(callId)) problem(`the result of ${callId} has no call right before it`)
        if (content.some((part) => part.type !== 'text' && (part.data === undefined) === (part.url === undefined))) {
          problem('a medium has not one source')
        }
      }
      continue
    }
    if (open.size > 0) problem(`calls before it have no result: ${[...open].join(', ')}`)
    open.clear()
    if (message.role !== 'assistant') continue
    for (const part of message.content) {
      if (part.type !== 'tool-call') continue
      if (open.has(part.callId)) problem(`the call ${part.callId} is there twice`)
      if (part.input === undefined) problem(`the call ${part.callId} has no input`)
      open.add(part.callId)
    }
  }
  if (open.size > 0) problems.push(`the last calls have no result: ${[...open].join(', ')}`)
  if (messages.some((message) => !JSON.stringify(message).isWellFormed())) problems.push('it holds half a character')
  return problems
}
