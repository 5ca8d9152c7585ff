import { type AssistantMessage, textOf, toolCallsOf } from '../message.ts'
import { addUsage, NO_USAGE } from '../provider.ts'
import type { CompactionEntry, Entry, InputEntry, MessageEntry } from '../store/entry.ts'
import { isFree, mergeMetadata } from '../store/session-head.ts'
import type { Conversation, MeasuredCall, OpenRun } from './conversation.ts'

/** For so many models it is known what they were sent last. */
const MOST_MODELS = 20
/** How many turns are held at least that no model is sent. */
const UNSENT_TURNS = 250

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
