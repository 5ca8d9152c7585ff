import type { HeldLimit } from '../gate/limits.ts'
import type { Usage } from '../provider.ts'

export interface PlannedCall {
  readonly provider: string
  readonly model: string
  /** What is to be sent, estimated on the safe side. */
  readonly inputTokens: number
  /** The longest reply that may be asked for. */
  readonly maxOutputTokens: number
}

export interface Granted {
  readonly granted: true
  /** How long the reply may be, so that the limits hold; absent where no limit does. Not above what was planned. */
  readonly maxOutputTokens?: number
  /**
   * What it really was, once; `undefined` when nobody knows, and then it is what was planned. `answered` is the model
   * that answered; the one that was asked for where that is left out.
   */
  settle(used?: Usage, answered?: string): Promise<void>
}

export interface GrantedToolCall {
  readonly granted: true
  /** Whether it was made after all, once. */
  settle(wasMade: boolean): Promise<void>
}

export interface Refused {
  readonly granted: false
  readonly limit: HeldLimit
  /** For people; holds nothing that anybody said. */
  readonly reason: string
  /** How long it is until the window ends; absent when that would not help. */
  readonly retryAfterMs?: number
}
