/** A call that waits for the answer of a sub-agent. */
export interface Caller {
  /** The key of the namespace, and the run and the call in it. */
  readonly namespace: string
  readonly runId: string
  readonly callId: string
}

/** How a sub-agent came to be asked. */
export interface Lineage {
  /** All who wait for it: from the person's own run, or the application's, that all of it is for, to the one that asks. */
  readonly callers: readonly [Caller, ...Caller[]]
  /** The agents from there on, outermost first, the one that is asked included. */
  readonly agents: readonly string[]
}
