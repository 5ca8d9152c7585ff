import type { Entry, InputEntry, RunSettings } from './entry.ts'
import type { AssistantMessage, Message, ToolCallPart } from './message.ts'
import { toolCallsOf } from './message.ts'
import { addUsage, NO_USAGE, type StopReason, type Usage } from './provider.ts'
import { estimateTokens } from './token-estimate.ts'

/**
 * What a session's log adds up to: all that the loop needs to know what comes next. It is a fold, so folding the rest
 * of a log onto the fold of its beginning gives the fold of the whole; it can be thrown away at any time.
 */
export interface Conversation {
  /** The `seq` of the last entry folded in. */
  length: number
  readonly turns: Turn[]
  /** Accepted inputs that wait for their turn, oldest first, by `seq`. */
  readonly inbox: Map<number, InputEntry>
  /** The run that has begun and not ended. */
  run: OpenRun | undefined
}

/** One input and all that followed from it; the unit in which context is kept or dropped. */
export interface Turn {
  readonly messages: Message[]
  /** Estimated tokens of all turns before this one. */
  readonly offset: number
  /** Estimated tokens of this one. */
  tokens: number
}

export interface OpenRun {
  readonly runId: string
  /** The `seq` of the input that it answers. */
  readonly input: number
  readonly settings: RunSettings
  modelCalls: number
  usage: Usage
  /** The newest assistant message of this run, and why the model stopped there. */
  reply: { readonly message: AssistantMessage; readonly stopReason: StopReason } | undefined
  /** The calls of `reply` that have no result yet, in its order. */
  readonly openCalls: Map<string, OpenCall>
}

export interface OpenCall {
  readonly call: ToolCallPart
  /** The log says that a tool with effects began. */
  started: boolean
}

export function emptyConversation(): Conversation {
  return { length: 0, turns: [], inbox: new Map(), run: undefined }
}

/** Folds the next entry in. Entries of other sessions or out of order are the caller's mistake. */
export function foldEntry(conversation: Conversation, seq: number, entry: Entry): void {
  conversation.length = seq
  switch (entry.type) {
    case 'input':
      conversation.inbox.set(seq, entry)
      return
    case 'input-withdrawn':
      conversation.inbox.delete(entry.input)
      return
    case 'run-started':
      conversation.run = openRun(entry.runId, entry.input, conversation.inbox.get(entry.input)?.settings)
      conversation.turns.push(nextTurn(conversation))
      return
    case 'message':
      if (entry.input !== undefined) conversation.inbox.delete(entry.input)
      addMessage(conversation, entry.message)
      if (conversation.run) foldRunMessage(conversation.run, entry)
      return
    case 'tool-started': {
      const open = conversation.run?.openCalls.get(entry.callId)
      if (open) open.started = true
      return
    }
    case 'run-ended':
      conversation.run = undefined
      return
    case 'metadata':
      return
  }
}

function openRun(runId: string, input: number, settings: RunSettings = {}): OpenRun {
  return { runId, input, settings, modelCalls: 0, usage: NO_USAGE, reply: undefined, openCalls: new Map() }
}

function foldRunMessage(run: OpenRun, entry: Extract<Entry, { type: 'message' }>): void {
  const { message, usage, stopReason = 'stop' } = entry
  if (message.role === 'user') {
    // Whatever the reply before it was, the model has not yet answered this.
    run.reply = undefined
  } else if (message.role === 'assistant') {
    run.modelCalls += 1
    if (usage) run.usage = addUsage(run.usage, usage)
    run.reply = { message, stopReason }
    run.openCalls.clear()
    for (const call of toolCallsOf(message)) run.openCalls.set(call.callId, { call, started: false })
  } else {
    for (const result of message.content) run.openCalls.delete(result.callId)
    if (run.openCalls.size === 0) run.reply = undefined
  }
}

function addMessage(conversation: Conversation, message: Message): void {
  if (conversation.turns.length === 0) conversation.turns.push(nextTurn(conversation))
  const turn = conversation.turns.at(-1) as Turn
  turn.messages.push(message)
  turn.tokens += estimateTokens(message)
}

function nextTurn(conversation: Conversation): Turn {
  const last = conversation.turns.at(-1)
  return { messages: [], offset: last ? last.offset + last.tokens : 0, tokens: 0 }
}
