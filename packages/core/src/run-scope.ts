import type { ContextBudget } from './context.ts'
import type { RunEvent } from './event.ts'
import type { Gate } from './gate.ts'
import type { HookRunner } from './hooks.ts'
import type { LiveLog } from './live-log.ts'
import type { Namespace } from './namespace.ts'
import type { Provider } from './provider.ts'
import type { Store } from './store.ts'
import type { ReadyTool } from './tool.ts'

/** Who an instruction is written for. */
export interface InstructionsContext {
  readonly namespace: Namespace
  readonly runId: string
  readonly signal: AbortSignal
}

/** The system prompt: the same for all, or made for each run. */
export type Instructions = string | ((context: InstructionsContext) => string | Promise<string>)

/** The parts of a runtime, shared by all its runs; none of them holds anything of anybody's. */
export interface Services {
  readonly provider: Provider
  readonly store: Store
  readonly tools: ReadonlyMap<string, ReadyTool>
  readonly hooks: HookRunner
  readonly gate: Gate
  readonly instructions: Instructions | undefined
  readonly budget: ContextBudget
  readonly maxParallelTools: number
  readonly leaseTtlMs: number
}

/** One run, and all it may reach. */
export interface RunScope {
  readonly services: Services
  readonly namespace: Namespace
  readonly runId: string
  /** The lease under which it writes. */
  readonly epoch: number
  readonly log: LiveLog
  /** Aborts with the caller, the lease or the runtime. */
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
}
