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
 * What a log adds up to, to be compared with another: ids are replaced by numbers; what was asked, what was decided and what
 * came of calls come in the order of the calls; times, usage, who of several decided, and how often a run was suspended are
 * left out.
 */
export function conversationLines({ head, entries }: SessionSnapshot): readonly ConversationLine[] {
  const log = entries.map(({ entry }) => entry)
  const plain = withoutIds(log)
  const lines: ConversationLine[] = []
  const calls: string[] = []
  let ofCalls: { readonly callId: string; readonly line: ConversationLine }[] = []

  const settle = () => {
    // Of one call, they stay in the order in which they were written.
    const inOrder = ofCalls.toSorted((a, b) => calls.indexOf(a.callId) - calls.indexOf(b.callId))
    lines.push(...inOrder.map(({ line }) => line))
    ofCalls = []
  }
  const addToCall = (callId: string, text: string, unknown?: string) => {
    ofCalls.push({ callId, line: { text: plain(text), ...(unknown === undefined ? {} : { unknown }) } })
  }
  const addMessage = (message: Message) => {
    if (message.role !== 'tool') {
      settle()
      lines.push({ text: plain(`${message.role}: ${JSON.stringify(message.content)}`) })
      for (const part of message.content) if (part.type === 'tool-call') calls.push(part.callId)
      return
    }
    for (const { callId, name, content, isError = false } of message.content) {
      const text = `${isError ? 'failure' : 'result'} of ${name} (${callId}): ${JSON.stringify(content)}`
      addToCall(callId, text, isError && saysUnknown(content) ? name : undefined)
    }
  }

  for (const entry of log) {
    switch (entry.type) {
      case 'message':
        addMessage(entry.message)
        break
      case 'approval-requested': {
        const { callId, tool, input, level, rule } = entry.request
        addToCall(callId, `to be approved: ${tool} (${callId}) with ${JSON.stringify(input)}, ${level} by ${rule}`)
        break
      }
      case 'approval-decided': {
        const { callId, approved, reason = 'no reason' } = entry
        addToCall(callId, `${approved ? 'approved' : 'not approved'} (${callId}): ${reason}`)
        break
      }
      case 'run-started':
        lines.push({ text: plain(`run of ${entry.input}`) })
        break
      case 'run-ended': {
        settle()
        const { reason, denial } = entry
        lines.push({ text: `end of the run: ${reason}${denial === undefined ? '' : `, ${denial}`}` })
        break
      }
    }
  }
  settle()
  const withdrawn = log.flatMap((entry) => (entry.type === 'input-withdrawn' ? [plain(entry.input)] : []))
  lines.push({ text: `withdrawn: ${[...new Set(withdrawn)].sort().join(', ')}` })
  lines.push({ text: `metadata: ${JSON.stringify(Object.entries(head.metadata).sort())}` })
  return lines
}

function saysUnknown(content: readonly ContentPart[]): boolean {
  return UNKNOWN.test(textOf(content))
}

/** Gives every id that the runtime or a model makes a number, in the order in which they come in the log. */
export function withoutIds(log: readonly Entry[]): (text: string) => string {
  const ids = log.flatMap((entry) => {
    if (entry.type === 'run-started') return [entry.runId]
    if (entry.type === 'input') return entry.spawnedBy ? [entry.key] : []
    if (entry.type !== 'message' || entry.message.role !== 'assistant') return []
    return entry.message.content.flatMap((part) => (part.type === 'tool-call' ? [part.callId] : []))
  })
  const numbered = ids.map((id, index) => [id, `<${index + 1}>`] as const)
  // A longer id may hold a shorter one.
  const longestFirst = numbered.toSorted(([a], [b]) => b.length - a.length)
  return (text) => longestFirst.reduce((plain, [id, number]) => plain.replaceAll(id, number), text)
}
