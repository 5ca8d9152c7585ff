import type { JsonObject, JsonValue } from '../json.ts'
import type { AssistantMessage, ToolMessage, UserMessage } from '../message.ts'
import type { StopReason, Usage } from '../provider.ts'
import type { ApprovalDecision, ApprovalRequest } from './approval-request.ts'
import type { Lineage } from './lineage.ts'

/** What one message asked of its run, kept with it so that any process can do it later. */
export interface RunSettings {
  /** Another model of the same provider. @default the provider's own */
  readonly model?: string
  /** The most model calls in this run. @default 32 */
  readonly maxTurns?: number
  /** The names of the tools this run may use; `[]` for none. @default all of the runtime's */
  readonly tools?: readonly string[]
  /** Which of the runtime's agents answers. @default none of them: the runtime itself */
  readonly agent?: string
  /** In place of those of the runtime and the agent: for a sub-agent that is made for one task. */
  readonly instructions?: string
  /** JSON Schema of an object: the answer is to be JSON of it. @default any text */
  readonly output?: JsonObject
}

/** Why a run ended. Only `error` is a failure of the system; the others are ends that somebody chose. */
export type RunEndReason =
  /** The model had nothing more to do. */
  | 'completed'
  /** The reply reached the model's output limit. */
  | 'length'
  /** The model or its provider declined to answer. */
  | 'refused'
  /** `maxTurns` model calls were made and tools are still asked for. */
  | 'max-turns'
  /** The caller's signal, or the end of its stream. */
  | 'aborted'
  /** A policy or a hook. */
  | 'denied'
  /** A limit of a policy: of turns, calls, time, tokens or money. */
  | 'limit'
  /** Something failed; the entry carries its code. */
  | 'error'

/** A message accepted by anyone, at any time; it waits in the session's inbox until a `message` entry takes it. */
export interface InputEntry {
  readonly type: 'input'
  /** Names this input wherever the log speaks of it. A session accepts a key once, ever: an idempotency key. */
  readonly key: string
  readonly message: UserMessage
  readonly settings?: RunSettings
  /**
   * `interrupt`: everything before it is withdrawn, in the same append. `steer`: it joins the run that is open, before its
   * next model call, unless it has settings of its own. @default it waits its turn
   */
  readonly whenBusy?: 'interrupt' | 'steer'
  /** Whose call asks, when it is an agent's. @default a person's, or the application's */
  readonly spawnedBy?: Lineage
}

/**
 * An input is not to be answered: its caller left, or it was denied. When its run has begun, the run ends at its next step.
 * Not appended when the input neither waits nor is being answered.
 */
export interface InputWithdrawnEntry {
  readonly type: 'input-withdrawn'
  /** The key of the input. */
  readonly input: string
  /** Why it was denied, in words for people. */
  readonly denial?: string
}

/** A message of the conversation. */
export interface MessageEntry {
  readonly type: 'message'
  readonly message: UserMessage | AssistantMessage | ToolMessage
  /**
   * For a user message: the key of the input that it takes from the inbox. A run takes its own, and may be joined by others.
   * Absent where orra itself asks once more for an answer that is not what `output` describes.
   */
  readonly input?: string
  /** For an assistant message: why the model stopped. */
  readonly stopReason?: StopReason
  /** For an assistant message: what the call that made it used. */
  readonly usage?: Usage
  /** For an assistant message: the model that wrote it. */
  readonly model?: string
  /** For an assistant message: the model that was asked for, where another one wrote it. */
  readonly asked?: string
  /** For an assistant message: the provider that wrote it, where one was chosen among several. @default the one that was asked */
  readonly provider?: string
  /** For an assistant message: the provider that was asked, by its name when the call began. */
  readonly askedProvider?: string
  /** For an assistant message: what of the conversation was sent for it. */
  readonly context?: SentContext
}

/** What of a conversation was sent in a model call, so that the next one begins in the same way. */
export interface SentContext {
  /** The model that it was made for, where a hook then had another asked. */
  readonly model?: string
  /** What all of the request was estimated at, in tokens, before any correction. */
  readonly estimatedTokens: number
  /** What it was to fit into, in tokens. */
  readonly budgetTokens: number
  /** The `seq` of the first message that was sent. */
  readonly from: number
  /** Tool results before this `seq` were left out. @default none */
  readonly resultsFrom?: number
}

/** A message entry with the result of a tool. */
export type ToolMessageEntry = MessageEntry & { readonly message: ToolMessage }

/** Written before a tool that is not `readOnly` begins, so that it is known after a crash. */
export interface ToolStartedEntry {
  readonly type: 'tool-started'
  readonly callId: string
}

/** Somebody must approve a call before it is done. */
export interface ApprovalRequestedEntry {
  readonly type: 'approval-requested'
  readonly request: ApprovalRequest
}

/** What was decided of a call that waits; the first decision is the only one. Not appended when no such call waits. */
export interface ApprovalDecidedEntry extends ApprovalDecision {
  readonly type: 'approval-decided'
  readonly callId: string
  /** The `seq` of the request. */
  readonly asked: number
  /** The key of the namespace that decided. Absent for a hook, and when nobody decided in time. */
  readonly by?: string
}

/**
 * Nothing more can be done in a run until somebody decides, or a sub-agent has its answer. Not appended when that has
 * happened since the entry `seen`.
 */
export interface RunSuspendedEntry {
  readonly type: 'run-suspended'
  readonly runId: string
  /** The `seq` of the last entry that was looked at. */
  readonly seen: number
}

/** A sub-agent that a call waits for has its answer, or soon will have. Not appended when its run is no longer open. */
export interface CallWokenEntry {
  readonly type: 'call-woken'
  readonly runId: string
  readonly callId: string
}

/**
 * From here on a summary stands in the place of older turns: they stay in the log, and are no longer sent. Not appended when
 * another compaction has come since the one that it follows, nor to another session.
 */
export interface CompactionEntry {
  readonly type: 'compaction'
  /** The id of the session. */
  readonly session: string
  /** The `seq` of the entry with which the last turn ends that it stands for. */
  readonly through: number
  /** The `through` of the compaction before; 0 for the first. */
  readonly after: number
  readonly summary: string
  /** How many turns it stands for, and those before it; and how many messages were in them. */
  readonly turns: number
  readonly messages: number
  /** What was pinned of them. */
  readonly pins: readonly Pin[]
  /** What writing the summary used, and the model that wrote it. */
  readonly usage?: Usage
  readonly model?: string
}

/** A message that is sent with every call. */
export interface Pin {
  /** Of the message. */
  readonly seq: number
  readonly message: UserMessage | AssistantMessage
}

/** A message is to be sent with every call from now on, whatever becomes of its turn. Not appended to another session. */
export interface MessagePinnedEntry extends Pin {
  readonly type: 'message-pinned'
  /** The id of the session. */
  readonly session: string
}

/** A message goes the way of its turn again. */
export interface MessageUnpinnedEntry {
  readonly type: 'message-unpinned'
  /** The id of the session. */
  readonly session: string
  readonly seq: number
}

/** Facts about the session; a later value replaces an earlier one, `null` removes it. */
export interface MetadataEntry {
  readonly type: 'metadata'
  readonly set: { readonly [name: string]: JsonValue }
}

export interface RunStartedEntry {
  readonly type: 'run-started'
  readonly runId: string
  /** The key of the input that this run answers. */
  readonly input: string
}

export interface RunEndedEntry {
  readonly type: 'run-ended'
  readonly runId: string
  readonly reason: RunEndReason
  /** Of all model calls of the run whose replies are in the log. */
  readonly usage: Usage
  /** For `denied` and `limit`: why, in words for people. */
  readonly denial?: string
  /** For `error`: the code and the sentence. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** What a session's log holds. */
export type Entry =
  | InputEntry
  | InputWithdrawnEntry
  | MessageEntry
  | ToolStartedEntry
  | ApprovalRequestedEntry
  | ApprovalDecidedEntry
  | RunSuspendedEntry
  | CallWokenEntry
  | CompactionEntry
  | MessagePinnedEntry
  | MessageUnpinnedEntry
  | MetadataEntry
  | RunStartedEntry
  | RunEndedEntry

/** An entry in its place. */
export interface LoggedEntry<E extends Entry = Entry> {
  /** 1 for the first entry of a session; each next one is one more. */
  readonly seq: number
  /** When it was appended, in milliseconds since 1970, by the store's clock. */
  readonly at: number
  readonly entry: E
}
