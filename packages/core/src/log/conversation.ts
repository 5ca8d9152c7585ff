import type { ModelSpend } from '../budget/spend.ts'
import { type AssistantMessage, type Message, type ToolCallPart, textOf, toolCallsOf } from '../message.ts'
import { addUsage, NO_USAGE, type StopReason, type Usage } from '../provider.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'
import type {
  ApprovalDecidedEntry,
  CompactionEntry,
  Entry,
  InputEntry,
  MessageEntry,
  Pin,
  RunSettings,
  SentContext,
} from '../store/entry.ts'
import type { Lineage } from '../store/lineage.ts'
import { isFree, mergeMetadata, type SessionHead } from '../store/session-head.ts'

/**
 * What a session's log adds up to: all that the loop needs to know what comes next. It is a fold, so folding the rest
 * of a log onto the fold of its beginning gives the fold of the whole; it can be thrown away at any time.
 */
export interface Conversation {
  /** The `seq` of the last entry folded in. */
  length: number
  /** The `seq` of the last of them that a run has written, which others' entries do not change. */
  written: number
  /** How many messages there are, those before the last compaction included. */
  messages: number
  /** Those that no compaction stands for, oldest first. */
  turns: Turn[]
  compaction: Compaction | undefined
  /** Messages that are always sent, by their `seq`, in the order in which they were pinned. */
  readonly pins: Map<number, Pin['message']>
  /** The newest call of each model whose cost is known, by the model that it was made for; the newest of all last. */
  readonly calls: Map<string, MeasuredCall>
  /** How many turns are not held any more: older ones that no compaction stands for, and that no model is sent. */
  forgottenTurns: number
  /** How many runs in a row have ended because what was sent was too long. */
  overflows: number
  /** Accepted inputs that wait for their turn, oldest first, by key. */
  readonly inbox: Map<string, InputEntry>
  /** The run that has begun and not ended. */
  run: OpenRun | undefined
  metadata: SessionHead['metadata']
}

/** One input and all that followed from it; the unit in which context is kept or dropped. */
export interface Turn {
  readonly messages: PlacedMessage[]
  /** The `seq` of the entry that ended its run, once there is one. */
  endedAt: number | undefined
}

export interface PlacedMessage<M extends Message = Message> {
  readonly seq: number
  readonly message: M
}

/** What stands in the place of older turns. */
export interface Compaction {
  readonly through: number
  readonly summary: string
  readonly turns: number
}

/** A model call that is in the log. */
export interface MeasuredCall {
  readonly seq: number
  /** The model that it was made for. */
  readonly model: string
  readonly context: SentContext
  /** What came to be sent, in tokens; the estimate where another provider has counted it. */
  readonly sentTokens: number
}

export interface OpenRun {
  readonly runId: string
  /** Milliseconds since 1970, by the store's clock. */
  readonly startedAt: number
  /** The key of the input that it answers. */
  readonly input: string
  /** The keys of all inputs that are part of it: its own, and those that joined. */
  readonly inputs: Set<string>
  readonly settings: RunSettings
  /** Whether its input was folded in: else nobody knows what it asks. */
  readonly isKnown: boolean
  /** Whose call it answers, when it is a sub-agent's. */
  readonly spawnedBy: Lineage | undefined
  /** Whoever asked for it no longer wants it. */
  withdrawn: boolean
  /** Nothing can be done until something comes that others say. */
  suspended: boolean
  /** It has been suspended before. */
  wasSuspended: boolean
  modelCalls: number
  /** Tool calls that the model has asked for. */
  toolCalls: number
  /** What was used: one for each model that answered, by what was asked for. The keys mean nothing. */
  readonly models: Map<string, ModelSpend>
  /** Calls by tool: those that had effects, whatever came of them, and all that came out well. */
  readonly tools: Map<string, number>
  usage: Usage
  /** What the model said last. */
  text: string
  /** Why the model stopped, once it has nothing left to do. */
  stopped: StopReason | undefined
  /** The model was asked once more, for its answer was not what the settings' `output` describes. */
  askedAgain: boolean
  /** The calls of the newest reply that have no result yet, in its order. */
  readonly openCalls: Map<string, OpenCall>
}

export interface OpenCall {
  readonly call: ToolCallPart
  /** Of the reply that asks for it. */
  readonly seq: number
  /** Somebody is to approve it, as was asked in the entry `asked`. */
  request?: ApprovalRequest
  asked?: number
  decision?: ApprovalDecidedEntry
  /** The log says that the tool began. */
  started: boolean
  /** This process has counted what it costs. */
  counted?: true
}

/** For so many models it is known what they were sent last. */
const MOST_MODELS = 20
/** How many turns are held at least that no model is sent. */
const UNSENT_TURNS = 250

const NO_METADATA: Conversation['metadata'] = Object.freeze({})

export function emptyConversation(): Conversation {
  return {
    ...{ length: 0, written: 0, messages: 0, turns: [], compaction: undefined, pins: new Map(), calls: new Map() },
    ...{ forgottenTurns: 0, overflows: 0, inbox: new Map(), run: undefined, metadata: NO_METADATA },
  }
}

/** Folds the next entry in, with the time at which it was appended. Entries of other sessions or out of order are the caller's mistake. */
export function foldEntry(conversation: Conversation, seq: number, entry: Entry, at = 0): void {
  conversation.length = seq
  if (!isFree(entry)) conversation.written = seq
  const { inbox, run } = conversation
  switch (entry.type) {
    case 'input':
      inbox.set(entry.key, entry)
      return
    case 'input-withdrawn':
      inbox.delete(entry.input)
      if (run?.input === entry.input) {
        run.withdrawn = true
        run.suspended = false
      }
      return
    case 'run-started':
      conversation.run = openRun(entry.runId, at, entry.input, inbox.get(entry.input))
      conversation.turns.push({ messages: [], endedAt: undefined })
      return
    case 'message':
      if (entry.input !== undefined) {
        inbox.delete(entry.input)
        run?.inputs.add(entry.input)
      }
      if (run) run.suspended = false
      addMessage(conversation, entry, seq)
      if (run) foldRunMessage(run, entry, seq)
      return
    case 'tool-started': {
      const open = run?.openCalls.get(entry.callId)
      if (open) open.started = true
      if (run) run.suspended = false
      return
    }
    case 'approval-requested': {
      const open = run?.openCalls.get(entry.request.callId)
      if (open) {
        open.request = entry.request
        open.asked = seq
        if (run) run.suspended = false
        delete open.decision
      }
      return
    }
    case 'approval-decided': {
      const open = run?.openCalls.get(entry.callId)
      if (open) open.decision = entry
      if (run) run.suspended = false
      return
    }
    case 'call-woken':
      if (run) run.suspended = false
      return
    case 'run-suspended':
      if (run) {
        run.suspended = true
        run.wasSuspended = true
      }
      return
    case 'run-ended': {
      const turn = conversation.turns.at(-1)
      if (turn) turn.endedAt = seq
      conversation.run = undefined
      const isOverflow = entry.error?.code === 'provider.context-too-long'
      conversation.overflows = isOverflow ? conversation.overflows + 1 : 0
      return
    }
    case 'compaction':
      compact(conversation, entry)
      return
    case 'message-pinned':
      conversation.pins.set(entry.seq, entry.message)
      return
    case 'message-unpinned':
      conversation.pins.delete(entry.seq)
      return
    case 'metadata':
      conversation.metadata = mergeMetadata(conversation.metadata, entry.set)
      return
  }
}

function openRun(runId: string, startedAt: number, input: string, accepted: InputEntry | undefined): OpenRun {
  const { settings = {}, spawnedBy } = accepted ?? {}
  return {
    runId,
    startedAt,
    input,
    inputs: new Set([input]),
    settings,
    isKnown: accepted !== undefined,
    spawnedBy,
    withdrawn: false,
    suspended: false,
    wasSuspended: false,
    modelCalls: 0,
    toolCalls: 0,
    models: new Map(),
    tools: new Map(),
    usage: NO_USAGE,
    text: '',
    stopped: undefined,
    askedAgain: false,
    openCalls: new Map(),
  }
}

function foldRunMessage(run: OpenRun, entry: MessageEntry, seq: number): void {
  const { message } = entry
  if (message.role === 'assistant') {
    foldReply(run, message, entry, seq)
    return
  }
  if (message.role === 'tool') {
    for (const { callId, name, isError } of message.content) {
      const begun = run.openCalls.get(callId)?.started || !isError
      run.openCalls.delete(callId)
      if (begun) run.tools.set(name, (run.tools.get(name) ?? 0) + 1)
    }
  }
  if (message.role === 'user' && entry.input === undefined) run.askedAgain = true
  // Whatever the model had said, it has not yet answered this.
  if (run.openCalls.size === 0) run.stopped = undefined
}

function foldReply(run: OpenRun, message: AssistantMessage, entry: MessageEntry, seq: number): void {
  const { usage, stopReason = 'stop', model = '', asked, provider, askedProvider } = entry
  run.modelCalls += 1
  if (usage) {
    const key = JSON.stringify([model, asked, provider, askedProvider])
    const { calls, usage: sum } = run.models.get(key) ?? { calls: 0, usage: NO_USAGE }
    run.models.set(key, { model, asked, provider, askedProvider, calls: calls + 1, usage: addUsage(sum, usage) })
    run.usage = addUsage(run.usage, usage)
  }
  run.text = textOf(message)
  run.stopped = stopReason
  run.openCalls.clear()
  for (const call of toolCallsOf(message)) {
    run.openCalls.set(call.callId, { call, seq, started: false })
    run.toolCalls += 1
  }
}

function addMessage(conversation: Conversation, entry: MessageEntry, seq: number): void {
  const { message, model = '', asked = model, usage, context } = entry
  if (conversation.turns.length === 0) conversation.turns.push({ messages: [], endedAt: undefined })
  conversation.turns.at(-1)?.messages.push({ seq, message })
  conversation.messages += 1
  if (message.role === 'assistant') conversation.overflows = 0
  if (!usage || !context) return
  const sentTokens = isOfAnother(entry) ? context.estimatedTokens : usage.inputTokens
  addCall(conversation, { seq, model: context.model ?? asked, context, sentTokens })
}

/** Whether another provider has answered than the one that was asked: what it counts says nothing of that one's tokens. */
function isOfAnother({ askedProvider, provider = askedProvider }: MessageEntry): boolean {
  return askedProvider !== undefined && provider !== askedProvider
}

function addCall(conversation: Conversation, call: MeasuredCall): void {
  const { calls } = conversation
  calls.delete(call.model)
  calls.set(call.model, call)
  const [oldest] = calls.keys()
  if (calls.size > MOST_MODELS && oldest !== undefined) calls.delete(oldest)
  forget(conversation)
}

/** What no model is sent any more is held for a while, for one with a larger window, and not for ever. */
function forget(conversation: Conversation): void {
  const { turns, calls } = conversation
  if (turns.length <= 2 * UNSENT_TURNS) return
  const from = Math.min(...Array.from(calls.values(), ({ context }) => context.from))
  const unsent = turns.findIndex(({ messages }) => (messages[0]?.seq ?? Number.POSITIVE_INFINITY) >= from)
  if (unsent <= 2 * UNSENT_TURNS) return
  conversation.turns = turns.slice(unsent - UNSENT_TURNS)
  conversation.forgottenTurns += unsent - UNSENT_TURNS
}

function compact(conversation: Conversation, { through, summary, turns }: CompactionEntry): void {
  conversation.compaction = { through, summary, turns }
  conversation.turns = conversation.turns.filter(({ endedAt = Number.POSITIVE_INFINITY }) => endedAt > through)
  conversation.forgottenTurns = 0
  conversation.overflows = 0
  for (const [model, { seq }] of conversation.calls) if (seq < through) conversation.calls.delete(model)
}

export function newestCall({ calls }: Conversation): MeasuredCall | undefined {
  return [...calls.values()].at(-1)
}

/**
 * The fold of a log through its last compaction, of which the entry says all. What waits in the inbox is not in it, nor a
 * run that began before.
 */
export function compactedConversation(entry: CompactionEntry, metadata: SessionHead['metadata']): Conversation {
  const { through, summary, turns, messages, pins } = entry
  return {
    ...emptyConversation(),
    ...{ length: through, written: through, messages, metadata },
    compaction: { through, summary, turns },
    pins: new Map(pins.map(({ seq, message }) => [seq, message])),
  }
}
