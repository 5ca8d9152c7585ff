import type { ModelSpend } from '../budget/spend.ts'
import type { Message, ToolCallPart } from '../message.ts'
import type { StopReason, Usage } from '../provider.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'
import type {
  ApprovalDecidedEntry,
  CompactionEntry,
  InputEntry,
  Pin,
  RunSettings,
  SentContext,
} from '../store/entry.ts'
import type { Lineage } from '../store/lineage.ts'
import type { SessionHead } from '../store/session-head.ts'

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

const NO_METADATA: Conversation['metadata'] = Object.freeze({})

export function emptyConversation(): Conversation {
  return {
    ...{ length: 0, written: 0, messages: 0, turns: [], compaction: undefined, pins: new Map(), calls: new Map() },
    ...{ forgottenTurns: 0, overflows: 0, inbox: new Map(), run: undefined, metadata: NO_METADATA },
  }
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
