import { saysSomething } from '../context/opening.ts'
import { isEmpty } from '../context/repair-turn.ts'
import type { JsonObject } from '../json.ts'
import { type Conversation, emptyConversation, type OpenRun } from '../log/conversation.ts'
import { foldEntry } from '../log/fold-entry.ts'
import { isMessageOf, toolCallsOf } from '../message.ts'
import { readyOutput } from '../output.ts'
import { isUsage } from '../provider.ts'
import { isKey } from '../store/checks.ts'
import type { Entry, MessageEntry, RunEndReason } from '../store/entry.ts'

const REASONS: { readonly [Reason in RunEndReason]: true } = {
  completed: true,
  length: true,
  refused: true,
  'max-turns': true,
  aborted: true,
  denied: true,
  limit: true,
  error: true,
}

type Fields = { readonly [name: string]: unknown }

const SHAPES: { readonly [Type in Entry['type']]: (fields: Fields) => boolean } = {
  input: ({ key, message, settings, whenBusy }) =>
    isKey(key) && isSaid(message) && isSettings(settings) && isOneOf(whenBusy, undefined, 'interrupt', 'steer'),
  'input-withdrawn': ({ input, denial }) => isKey(input) && isTextOrNone(denial),
  message: ({ message, input, stopReason, usage, model, asked, provider, askedProvider, context }) => {
    if (isMessageOf('user', message)) return isSaid(message) && (input === undefined || isKey(input))
    if (isMessageOf('tool', message)) return message.content.length > 0 && input === undefined
    if (!isMessageOf('assistant', message) || input !== undefined) return false
    return (
      isOneOf(stopReason, undefined, 'stop', 'tool-calls', 'length', 'refused') &&
      (usage === undefined || isUsage(usage)) &&
      isTextOrNone(model) &&
      isTextOrNone(asked) &&
      isTextOrNone(provider) &&
      isTextOrNone(askedProvider) &&
      isContext(context)
    )
  },
  'tool-started': ({ callId }) => isText(callId),
  'approval-requested': ({ request }) => isRequest(request),
  'approval-decided': ({ callId, asked, approved, by, reason }) =>
    isText(callId) &&
    Number.isSafeInteger(asked) &&
    typeof approved === 'boolean' &&
    isTextOrNone(by) &&
    isTextOrNone(reason),
  'run-suspended': ({ runId, seen }) => isText(runId) && Number.isSafeInteger(seen),
  'call-woken': ({ runId, callId }) => isText(runId) && isText(callId),
  compaction: ({ session, through, after, summary, turns, messages, pins, usage, model }) =>
    [session, summary].every(isText) &&
    [through, after, turns, messages].every(isPlace) &&
    Array.isArray(pins) &&
    pins.every((pin) => isObject(pin) && isPin(pin)) &&
    (usage === undefined || isUsage(usage)) &&
    isTextOrNone(model),
  'message-pinned': ({ session, seq, message }) => isText(session) && isPin({ seq, message }),
  'message-unpinned': ({ session, seq }) => isText(session) && isPlace(seq),
  metadata: ({ set }) => isObject(set),
  'run-started': ({ runId, input }) => isText(runId) && isKey(input),
  'run-ended': ({ runId, reason, usage, denial, error }) =>
    isText(runId) &&
    isText(reason) &&
    Object.hasOwn(REASONS, reason) &&
    isUsage(usage) &&
    isTextOrNone(denial) &&
    (error === undefined || (isObject(error) && isText(error['code']) && typeof error['message'] === 'string')),
}

/** Whether a value is an entry of a log, with all that its kind must have. */
export function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { type } = value as { readonly type?: unknown }
  return typeof type === 'string' && Object.hasOwn(SHAPES, type) && SHAPES[type as Entry['type']](value as Fields)
}

/** Where a log stops being one that orra could have written, and why; `undefined` when it never does. */
export function disorderOf(
  entries: readonly Entry[],
): { readonly index: number; readonly problem: string } | undefined {
  const conversation = emptyConversation()
  const keys = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const problem = problemIn(entry, conversation, entries[index - 1]) ?? misplaced(entry, conversation, entries)
    if (problem !== undefined) return { index, problem }
    if (entry.type === 'input' && keys.has(entry.key)) return { index, problem: 'its key was accepted before' }
    if (entry.type === 'input') keys.add(entry.key)
    foldEntry(conversation, index + 1, entry)
  }
  if (entries.at(-1)?.type === 'run-started') return { index: entries.length - 1, problem: 'its run has no message' }
  return undefined
}

function problemIn(entry: Entry, { run, inbox }: Conversation, before: Entry | undefined): string | undefined {
  if (before?.type === 'run-started' && !(entry.type === 'message' && entry.input === before.input)) {
    return 'a run begins without its message'
  }
  switch (entry.type) {
    case 'run-started':
      if (run) return 'a run begins within a run'
      return inbox.has(entry.input) ? undefined : 'a run begins for an input that does not wait'
    case 'run-ended':
      if (entry.runId !== run?.runId) return 'it ends a run that is not open'
      return run.openCalls.size > 0 ? 'its run ends while calls have no result' : undefined
    case 'approval-requested':
      return run?.openCalls.has(entry.request.callId) ? undefined : 'it asks for a call that is not open'
    case 'approval-decided': {
      const call = run?.openCalls.get(entry.callId)
      return call?.request && !call.decision ? undefined : 'it decides of a call that does not wait'
    }
    case 'run-suspended':
    case 'call-woken':
      return entry.runId === run?.runId ? undefined : 'it speaks of a run that is not open'
    case 'input-withdrawn':
      return inbox.has(entry.input) || run?.input === entry.input ? undefined : 'it withdraws what does not wait'
    case 'message':
      return run ? problemInMessage(entry, run, inbox) : 'a message stands outside of a run'
    default:
      return undefined
  }
}

/** What of an entry speaks of a place that the log does not have, or not like that. */
function misplaced(entry: Entry, { length, compaction }: Conversation, entries: readonly Entry[]): string | undefined {
  if (entry.type === 'message' && entry.context) {
    const { from, resultsFrom = 0 } = entry.context
    return Math.max(from, resultsFrom) > length + 1 ? 'it was sent what comes after it' : undefined
  }
  if (entry.type !== 'compaction') return undefined
  const { through, after, pins } = entry
  if (after !== (compaction?.through ?? 0) || through <= after) return 'its summary does not follow the one before'
  if (pins.some(({ seq }) => seq > through)) return 'it pins what it does not stand for'
  const isEnd = through <= length && entries[through - 1]?.type === 'run-ended'
  return isEnd ? undefined : 'its summary does not end with a run'
}

function problemInMessage(
  { message, input }: MessageEntry,
  { openCalls, settings, stopped, askedAgain }: OpenRun,
  inbox: Conversation['inbox'],
): string | undefined {
  const hasAnswered = stopped === 'stop' || stopped === 'tool-calls'
  const mayAskAgain = settings.output !== undefined && hasAnswered && !askedAgain
  if (message.role === 'tool') {
    const ids = message.content.map(({ callId }) => callId)
    if (!ids.every((id) => openCalls.has(id))) return 'a result has no open call'
    return new Set(ids).size < ids.length ? 'a call has two results' : undefined
  }
  if (openCalls.size > 0) return 'a message comes before the results of calls'
  if (message.role === 'assistant') {
    const ids = toolCallsOf(message).map(({ callId }) => callId)
    return new Set(ids).size < ids.length ? 'two calls share an id' : undefined
  }
  if (input === undefined) return mayAskAgain ? undefined : 'it takes no input'
  return inbox.has(input) ? undefined : 'it takes an input that does not wait'
}

function isSaid(message: unknown): boolean {
  return isMessageOf('user', message) && !isEmpty(message)
}

function isPin({ seq, message }: Fields): boolean {
  return isPlace(seq) && (isMessageOf('user', message) || isMessageOf('assistant', message)) && saysSomething(message)
}

function isContext(context: unknown): boolean {
  if (context === undefined) return true
  if (!isObject(context)) return false
  const { model, estimatedTokens, budgetTokens, from, resultsFrom = 0 } = context
  return isTextOrNone(model) && [estimatedTokens, budgetTokens, from, resultsFrom].every(isPlace)
}

function isPlace(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isSettings(settings: unknown): boolean {
  if (settings === undefined) return true
  if (!isObject(settings)) return false
  const { model, maxTurns, tools, agent, instructions, output } = settings
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && Number(maxTurns) > 0)) return false
  if (output !== undefined && !isUsableOutput(output)) return false
  if (!isTextOrNone(agent) || !isTextOrNone(instructions)) return false
  return (
    (model === undefined || isText(model)) && (tools === undefined || (Array.isArray(tools) && tools.every(isText)))
  )
}

function isUsableOutput(output: unknown): boolean {
  try {
    readyOutput(output as JsonObject)
    return true
  } catch {
    return false
  }
}

function isRequest(request: unknown): boolean {
  if (!isObject(request)) return false
  const { namespace, runId, callId, tool, input, inputHash, level, rule, deciders, requestedAt, expiresAt } = request
  return (
    [namespace, runId, callId, tool, inputHash, rule].every(isText) &&
    input !== undefined &&
    isOneOf(level, 'unless-auto-approved', 'always') &&
    (deciders === undefined || (Array.isArray(deciders) && deciders.every(isText))) &&
    Number.isFinite(requestedAt) &&
    Number.isFinite(expiresAt)
  )
}

function isOneOf(value: unknown, ...values: readonly unknown[]): boolean {
  return values.includes(value)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}
