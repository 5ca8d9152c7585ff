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

/** Who answered a model call. */
export interface Answering {
  readonly model: string
  /** @default the one that was asked */
  readonly provider?: string | undefined
}

export interface Granted {
  readonly granted: true
  /** How long the reply may be, so that the limits hold; absent where no limit does. Not above what was planned. */
  readonly maxOutputTokens?: number
  /**
   * Why the same call may not go to this model instead, for people: it may cost more than what is reserved, or nobody knows.
   * `undefined` where it may.
   */
  against(answering: Answering): string | undefined
  /**
   * What it really was, once; `undefined` when nobody knows, and then it is what was planned. `answered` is who answered;
   * who was asked where that is left out.
   */
  settle(used?: Usage, answered?: Answering): Promise<void>
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
