import type { Usage } from '../provider.ts'

/** What one run has used, folded from its log. */
export interface RunSpend {
  readonly runId: string
  /** When it began, in milliseconds since 1970, by its log: on that day it counts. */
  readonly startedAt: number
  /** One for each model that answered, by what was asked for. */
  readonly models: readonly ModelSpend[]
  /** Calls by tool: those that had effects, whatever came of them, and all that came out well. */
  readonly tools: ReadonlyMap<string, number>
}

export interface ModelSpend {
  /** The model that answered. */
  readonly model: string
  /** The one that was asked for, where that is another; its price holds where `model` has none. */
  readonly asked?: string | undefined
  /** The provider that answered. @default the one that was asked */
  readonly provider?: string | undefined
  /** The provider that was asked, by its name when the call began. @default the runtime's */
  readonly askedProvider?: string | undefined
  readonly calls: number
  readonly usage: Usage
}

/** A model call that stands in no log: it was cut off, or its reply could not be kept. */
export type LostCall = Omit<ModelSpend, 'calls'>
