import type { JsonObject, JsonValue } from '../json.ts'
import type { AssistantMessage, ContentPart, Message, UserMessage } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import type { ModelRequest, StopReason, Usage } from '../provider.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'
import type { RunEndReason } from '../store/entry.ts'

/** What every hook is told. */
export interface HookEvent {
  readonly namespace: Namespace
  /** The session's, as this process last read it. */
  readonly metadata: { readonly [name: string]: JsonValue }
  /** Who answers, when it is one of the runtime's agents. */
  readonly agent?: string
  /** Absent where no run is involved: an input that is being accepted. */
  readonly runId?: string
  /** Aborts with the run; a hook that does not heed it is left behind. */
  readonly signal: AbortSignal
}

/** What each point adds to the event. */
export interface HookEvents {
  /** An input is about to be answered. Patch its message, or deny: then it is withdrawn and never reaches the model. */
  readonly runStart: { readonly message: UserMessage }
  /** The log has been read. `messages` counts the conversation so far. */
  readonly sessionLoaded: { readonly messages: number }
  /** Patch the request, or deny: then the run ends. */
  readonly beforeModelCall: { readonly request: ModelRequest }
  /** The reply is whole and not yet in the log. Patch the message. */
  readonly afterModelCall: {
    readonly message: AssistantMessage
    readonly stopReason: StopReason
    readonly usage: Usage
    readonly model: string
    /** The provider that answered, where one was chosen among several. */
    readonly provider?: string
  }
  /**
   * A call is about to be checked and run. Patch its input, or deny: then the model gets the reason as the result. Asked
   * again when a call that waited for an approval is gone on with.
   */
  readonly beforeToolCall: {
    readonly callId: string
    readonly tool: string
    readonly input: JsonValue
    /** What the tool takes, as JSON Schema. */
    readonly inputSchema: JsonObject
  }
  /**
   * A call needs somebody's approval. Patch `decision` to give it or refuse it; while no hook has, the run waits for
   * `decide`, or the call is refused. What throws refuses it.
   */
  readonly approval: { readonly request: ApprovalRequest; readonly decision: ApprovalDecision | undefined }
  /** A tool has run. Patch what the model and the log get of it. */
  readonly afterToolCall: {
    readonly callId: string
    readonly tool: string
    readonly content: readonly ContentPart[]
    readonly isError: boolean
    readonly durationMs: number
  }
  /** A message of anybody's is about to be written. Patch it, keeping its role and its call ids: to redact, say. */
  readonly beforeAppend: { readonly message: Message }
  /** The run has ended and the log says so. */
  readonly runEnd: { readonly reason: RunEndReason; readonly usage: Usage }
}

/** What a hook at each point may patch. */
export interface HookPatches {
  readonly runStart: { readonly message?: UserMessage }
  readonly sessionLoaded: never
  readonly beforeModelCall: { readonly request?: Partial<ModelRequest> }
  readonly afterModelCall: { readonly message?: AssistantMessage }
  readonly beforeToolCall: { readonly input?: JsonValue }
  readonly approval: { readonly decision?: ApprovalDecision }
  readonly afterToolCall: { readonly content?: readonly ContentPart[]; readonly isError?: boolean }
  readonly beforeAppend: { readonly message?: Message }
  readonly runEnd: never
}

export type HookPoint = keyof HookEvents

/** The points at which a hook may refuse. */
export type DeniablePoint = 'runStart' | 'beforeModelCall' | 'beforeToolCall'

/** What `deny` makes. */
export interface Denial {
  readonly deny: string
}

/** Refuses what the hook was asked about. `reason` may be shown to the model and to people. */
export function deny(reason: string): Denial {
  return { deny: reason }
}

type HookReturn<P extends HookPoint> = HookPatches[P] | undefined | (P extends DeniablePoint ? Denial : never)

export type Hook<P extends HookPoint> = (
  event: HookEvent & HookEvents[P],
) => HookReturn<P> | Promise<HookReturn<P>> | void | Promise<void>

/**
 * Functions at named points of a run. They are called in the order in which they were given, each with what the ones
 * before it left. A hook that throws fails what it guards: at `beforeToolCall`, `approval` and `afterToolCall` the one call,
 * whose result then says so; at `runEnd` nothing, for nothing is left to fail; elsewhere the run, with `hook.failed`.
 */
export type Hooks = { readonly [P in HookPoint]?: Hook<P> } & {
  /** For messages. @default its place in the list */
  readonly name?: string
}

/** Hooks, and what they are called in messages. */
export interface NamedHooks {
  readonly name: string
  readonly hooks: Hooks
}
