/** What is done as a conversation outgrows what can be sent. Nothing of it changes the log. */
export type ContextStrategy = ClipResults | DropResults | Compact | DropTurns

/** A large tool result is sent with its beginning and its end only, always: so what was sent once stays as it is. */
export interface ClipResults {
  readonly type: 'clip-results'
  /** The most that is sent of one result, in tokens. @default a tenth of the budget, from 1,000 to 20,000 */
  readonly maxTokens?: number
}

/** Once not all fits, the oldest tool results are sent as a line that says that they were left out. */
export interface DropResults {
  readonly type: 'drop-results'
}

/**
 * A model writes a summary of the older turns, which is sent in their place: after a run, in the background, or before
 * turns would be dropped, and then the run waits for it a while. When it fails, nothing is changed.
 */
export interface Compact {
  readonly type: 'compact'
  /** Writes the summary. @default the provider's own model */
  readonly model?: string
  /** How much of the budget is filled when it is time, from 0 to 1. @default 0.8 */
  readonly at?: number
  /** How much of the budget the newest turns may fill that stay as they are, from 0 to 1; one always stays. @default 0.25 */
  readonly keep?: number
  /** What the model is told to write. @default a summary by which the conversation can be gone on with */
  readonly instructions?: string
}

/** Once not all fits, the oldest turns are not sent. Done last, whether it is in the list or not. */
export interface DropTurns {
  readonly type: 'drop-turns'
}

/** Cheapest first. */
export const DEFAULT_STRATEGIES: readonly ContextStrategy[] = [
  { type: 'clip-results' },
  { type: 'drop-results' },
  { type: 'compact' },
  { type: 'drop-turns' },
]
