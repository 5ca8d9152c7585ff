import type { Usage } from '../provider.ts'

/** What one run has used, folded from its log. */
export interface RunSpend {
  readonly runId: string
  /** When it began, in milliseconds since 1970, by its log: on that day it counts. */
  readonly startedAt: number
  /** By model. */
  readonly models: ReadonlyMap<string, ModelSpend>
  /** Calls by tool: those that had effects, whatever came of them, and all that came out well. */
  readonly tools: ReadonlyMap<string, number>
}

export interface ModelSpend {
  readonly calls: number
  readonly usage: Usage
}
