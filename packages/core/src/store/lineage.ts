/** Whose call began a sub-agent. */
export interface Lineage {
  /** The key of the namespace, and the run and the call in it. */
  readonly namespace: string
  readonly runId: string
  readonly callId: string
  /** The key of the namespace of the person's own run, or the application's, that all of it is for. */
  readonly root: string
  /** 1 for a sub-agent that a person's own run has begun. */
  readonly depth: number
  /** The agents above it, outermost first. */
  readonly agents: readonly string[]
}
