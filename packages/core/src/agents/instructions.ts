import type { JsonValue } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { ToolSpec } from '../provider.ts'
import type { AgentProfile } from './profile.ts'

/** Who instructions are written for, and what they can speak of. */
export interface InstructionsContext {
  readonly namespace: Namespace
  readonly runId: string
  /** Who answers, when it is one of the runtime's agents. */
  readonly agent?: AgentProfile
  /** The tools that this model call may use: what the run asked for and the gate allows. */
  readonly tools: readonly ToolSpec[]
  /** The session's. */
  readonly metadata: { readonly [name: string]: JsonValue }
  readonly signal: AbortSignal
}

/** The system prompt: the same for all, or made anew for each model call. */
export type Instructions = string | ((context: InstructionsContext) => string | Promise<string>)
