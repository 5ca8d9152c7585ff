/** An agent by name: who it is, what it is to do, and with what. Plain data. */
export interface AgentProfile {
  /** 1 to 64 letters, digits, `_` and `-`; people call it by `@name`. */
  readonly name: string
  /** For other agents and for people: what it is good for. */
  readonly description?: string
  /** How it speaks. */
  readonly personality?: string
  /** What it is to do. */
  readonly instructions?: string
  /** Another model of the same provider. @default the provider's own */
  readonly model?: string
  /** Globs of the runtime's tools that it may use. Policies narrow it further. @default all */
  readonly tools?: readonly string[]
}

/** What policies call an agent that was made for a single task. No profile has this name. */
export const TASK_AGENT = 'task'
