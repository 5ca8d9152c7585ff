import type { ContextReport } from './context/context-report.ts'
import type { OrraError } from './errors.ts'
import type { JsonValue } from './json.ts'
import type { AssistantMessage, ContentPart, UserMessage } from './message.ts'
import type { ModelEvent, StopReason, Usage } from './provider.ts'
import type { ApprovalRequest } from './store/approval-request.ts'
import type { RunEndReason } from './store/entry.ts'

/** What `stream` yields. The order is drawn in docs/lifecycle.md. */
export type RunEvent =
  /** The message is accepted and waits: another process has the session, a place among runs is missing, or a decision, or policies. */
  | { readonly type: 'waiting' }
  /** When it comes again, a lost lease was taken anew: what was said since the last `model-call-start` is said again. */
  | { readonly type: 'run-start'; readonly runId: string }
  /** A message has joined the run. */
  | { readonly type: 'input-joined'; readonly message: UserMessage }
  /** The answer was not what `output` describes; the model is told so, and answers once more. */
  | { readonly type: 'asked-again'; readonly message: UserMessage }
  /** Not all would have fitted any more: a summary stands now in the place of so many turns. */
  | { readonly type: 'compaction'; readonly turns: number; readonly summary: string }
  /** No summary could be had in time, so turns are dropped. */
  | { readonly type: 'compaction-failed'; readonly error: OrraError }
  /** A model is about to be called; `context` is what was to be sent before any hook changed it. */
  | { readonly type: 'model-call-start'; readonly context: ContextReport }
  | Extract<ModelEvent, { type: 'text-delta' | 'reasoning-delta' }>
  /** The reply is whole, and in the log. */
  | {
      readonly type: 'model-call-end'
      readonly message: AssistantMessage
      readonly stopReason: StopReason
      readonly usage: Usage
      readonly model: string
      /** The provider that answered, where one was chosen among several. */
      readonly provider?: string
    }
  | { readonly type: 'tool-call-start'; readonly callId: string; readonly tool: string; readonly input: JsonValue }
  | { readonly type: 'tool-call-progress'; readonly callId: string; readonly tool: string; readonly message: string }
  /** Somebody must approve a call. Where runs wait for `decide`, this is the moment to ask. */
  | { readonly type: 'approval-requested'; readonly request: ApprovalRequest }
  | {
      readonly type: 'approval-decided'
      readonly callId: string
      readonly tool: string
      readonly approved: boolean
      /** The key of the namespace that decided. */
      readonly by?: string
      readonly reason?: string
    }
  /** What a sub-agent does that this call has begun; its own sub-agents' events are events of its own. */
  | {
      readonly type: 'agent-event'
      readonly callId: string
      readonly agent: string
      /** The key of the namespace in which it works. */
      readonly namespace: string
      readonly event: RunEvent
    }
  /** The result is in the log. */
  | {
      readonly type: 'tool-call-end'
      readonly callId: string
      readonly tool: string
      readonly content: readonly ContentPart[]
      readonly isError: boolean
      readonly durationMs: number
    }
  /** Always the last. */
  | ({ readonly type: 'run-end' } & RunResult)

/** How a run came out. A failure is not here: it is thrown. */
export interface RunResult<Output = unknown> {
  /** Absent when the run never began: its input was withdrawn. */
  readonly runId?: string
  /** `suspended`: it has not ended. It waits for `approvals`, or a sub-agent does, and goes on once they are decided. */
  readonly reason: Exclude<RunEndReason, 'error'> | 'suspended'
  /** What the model said last; empty when it said nothing. */
  readonly text: string
  readonly usage: Usage
  /** For `completed`, where `output` was asked for: what the answer comes to by its schema. */
  readonly output?: Output
  /** For `denied` and `limit`: why, in words for people. */
  readonly denial?: string
  /** For `suspended`: what is to be decided here. Those of sub-agents are among what `approvals(namespace)` lists. */
  readonly approvals?: readonly ApprovalRequest[]
}

/** How a run came out: with a result, or with a failure that the log knows of. */
export type RunOutcome = { readonly result: RunResult } | { readonly error: OrraError }
