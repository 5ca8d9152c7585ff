import { type AssistantMessage, type Message, type ToolCallPart, textOf, toolCallsOf } from '../message.ts'
import { addUsage, NO_USAGE, type StopReason, type Usage } from '../provider.ts'
import type { Entry, InputEntry, MessageEntry, RunSettings } from '../store/entry.ts'
import { isFree } from '../store/session-head.ts'
import { estimateTokens } from '../token-estimate.ts'

/**
 * What a session's log adds up to: all that the loop needs to know what comes next. It is a fold, so folding the rest
 * of a log onto the fold of its beginning gives the fold of the whole; it can be thrown away at any time.
 */
export interface Conversation {
  /** The `seq` of the last entry folded in. */
  length: number
  /** The `seq` of the last of them that a run has written, which others' entries do not change. */
  written: number
  /** How many messages were folded in. */
  messages: number
  readonly turns: Turn[]
  /** Accepted inputs that wait for their turn, oldest first, by key. */
  readonly inbox: Map<string, InputEntry>
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
  /** The key of the input that it answers. */
  readonly input: string
  /** The keys of all inputs that are part of it: its own, and those that joined. */
  readonly inputs: Set<string>
  readonly settings: RunSettings
  /** Whoever asked for it no longer wants it. */
  withdrawn: boolean
  modelCalls: number
  usage: Usage
  /** What the model said last. */
  text: string
  /** Why the model stopped, once it has nothing left to do. */
  stopped: StopReason | undefined
  /** The calls of the newest reply that have no result yet, in its order. */
  readonly openCalls: Map<string, OpenCall>
}

export interface OpenCall {
  readonly call: ToolCallPart
  /** The log says that the tool began. */
  started: boolean
}

export function emptyConversation(): Conversation {
  return { length: 0, written: 0, messages: 0, turns: [], inbox: new Map(), run: undefined }
}

/** Folds the next entry in. Entries of other sessions or out of order are the caller's mistake. */
export function foldEntry(conversation: Conversation, seq: number, entry: Entry): void {
  conversation.length = seq
  if (!isFree(entry)) conversation.written = seq
  const { inbox, run } = conversation
  switch (entry.type) {
    case 'input':
      inbox.set(entry.key, entry)
      return
    case 'input-withdrawn':
      inbox.delete(entry.input)
      if (run?.input === entry.input) run.withdrawn = true
      return
    case 'run-started':
      conversation.run = openRun(entry.runId, entry.input, inbox.get(entry.input)?.settings)
      conversation.turns.push(nextTurn(conversation))
      return
    case 'message':
      if (entry.input !== undefined) {
        inbox.delete(entry.input)
        run?.inputs.add(entry.input)
      }
      addMessage(conversation, entry.message)
      if (run) foldRunMessage(run, entry)
      return
    case 'tool-started': {
      const open = run?.openCalls.get(entry.callId)
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

function openRun(runId: string, input: string, settings: RunSettings = {}): OpenRun {
  return {
    runId,
    input,
    inputs: new Set([input]),
    settings,
    withdrawn: false,
    modelCalls: 0,
    usage: NO_USAGE,
    text: '',
    stopped: undefined,
    openCalls: new Map(),
  }
}

function foldRunMessage(run: OpenRun, entry: MessageEntry): void {
  const { message } = entry
  if (message.role === 'assistant') {
    foldReply(run, message, entry)
    return
  }
  if (message.role === 'tool') for (const { callId } of message.content) run.openCalls.delete(callId)
  // Whatever the model had said, it has not yet answered this.
  if (run.openCalls.size === 0) run.stopped = undefined
}

function foldReply(run: OpenRun, message: AssistantMessage, { usage, stopReason = 'stop' }: MessageEntry): void {
  run.modelCalls += 1
  if (usage) run.usage = addUsage(run.usage, usage)
  run.text = textOf(message)
  run.stopped = stopReason
  run.openCalls.clear()
  for (const call of toolCallsOf(message)) run.openCalls.set(call.callId, { call, started: false })
}

function addMessage(conversation: Conversation, message: Message): void {
  if (conversation.turns.length === 0) conversation.turns.push(nextTurn(conversation))
  const turn = conversation.turns.at(-1) as Turn
  turn.messages.push(message)
  turn.tokens += estimateTokens(message)
  conversation.messages += 1
}

function nextTurn(conversation: Conversation): Turn {
  const last = conversation.turns.at(-1)
  return { messages: [], offset: last ? last.offset + last.tokens : 0, tokens: 0 }
}
