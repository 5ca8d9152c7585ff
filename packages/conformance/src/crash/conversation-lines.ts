import { type ContentPart, type Entry, type Message, textOf } from '@orra/core'
import type { SessionSnapshot } from './snapshot.ts'

/** One thing that was said or done, without anything that differs from one time to the next. */
export interface ConversationLine {
  readonly text: string
  /** It is a result that says that nobody knows what came of this tool's call. */
  readonly unknown?: string
}

/** How a result says so; the words are those of the runtime. */
const UNKNOWN = /nobody knows/i

/**
 * What a log adds up to, to be compared with another: ids are replaced by numbers, results come in the order of their
 * calls, times and usage are left out.
 */
export function conversationLines({ head, entries }: SessionSnapshot): readonly ConversationLine[] {
  const log = entries.map(({ entry }) => entry)
  const plain = withoutIds(log)
  const lines: ConversationLine[] = []
  const calls: string[] = []
  let results: { readonly place: number; readonly line: ConversationLine }[] = []

  const settle = () => {
    lines.push(...results.toSorted((a, b) => a.place - b.place).map(({ line }) => line))
    results = []
  }
  const addMessage = (message: Message) => {
    if (message.role !== 'tool') {
      settle()
      lines.push({ text: plain(`${message.role}: ${JSON.stringify(message.content)}`) })
      for (const part of message.content) if (part.type === 'tool-call') calls.push(part.callId)
      return
    }
    for (const { callId, name, content, isError = false } of message.content) {
      const text = plain(`${isError ? 'failure' : 'result'} of ${name} (${callId}): ${JSON.stringify(content)}`)
      const place = calls.indexOf(callId)
      results.push({ place, line: isError && saysUnknown(content) ? { text, unknown: name } : { text } })
    }
  }

  for (const entry of log) {
    if (entry.type === 'message') addMessage(entry.message)
    if (entry.type === 'run-started') lines.push({ text: `run of ${entry.input}` })
    if (entry.type !== 'run-ended') continue
    settle()
    lines.push({ text: `end of the run: ${entry.reason}` })
  }
  const withdrawn = log.flatMap((entry) => (entry.type === 'input-withdrawn' ? [entry.input] : []))
  lines.push({ text: `withdrawn: ${[...new Set(withdrawn)].sort().join(', ')}` })
  lines.push({ text: `metadata: ${JSON.stringify(Object.entries(head.metadata).sort())}` })
  return lines
}

function saysUnknown(content: readonly ContentPart[]): boolean {
  return UNKNOWN.test(textOf(content))
}

/** Gives every id of the log a number in the order in which they come. */
function withoutIds(log: readonly Entry[]): (text: string) => string {
  const ids = log.flatMap((entry) => {
    if (entry.type === 'run-started') return [entry.runId]
    if (entry.type !== 'message' || entry.message.role !== 'assistant') return []
    return entry.message.content.flatMap((part) => (part.type === 'tool-call' ? [part.callId] : []))
  })
  const numbered = ids.map((id, index) => [id, `<${index + 1}>`] as const)
  // A longer id may hold a shorter one.
  const longestFirst = numbered.toSorted(([a], [b]) => b.length - a.length)
  return (text) => longestFirst.reduce((plain, [id, number]) => plain.replaceAll(id, number), text)
}
