import type { UserInput } from './message.ts'
import type { RunResult } from './run-event.ts'

/**
 * Has a sub-agent work on something and waits for its answer. It works in a child namespace of the caller, so it has the
 * caller's policies, budgets and abort signal, and no tools that the run's own `tools` leave out. The same call made again
 * after a crash waits for the same sub-agent. While a sub-agent waits for an approval, so does a call of a tool that may be
 * made again (`idempotent`, `readOnly`); another tool waits as long as its process lives. Throws `agent.unknown` and `agent.denied`, and what makes its run fail.
 */
export type Spawn = (work: SpawnWork) => Promise<RunResult>

export interface SpawnWork {
  /** What it is asked. */
  readonly input: UserInput
  /** One of the runtime's agents. @default an agent made for this one task, without a name of its own */
  readonly agent?: string
  /** For an agent without a name: what it is to do. */
  readonly instructions?: string
  /** Names of the tools it may have, of those that the caller has. @default all of them; for an agent with a name, its own */
  readonly tools?: readonly string[]
  /** @default the agent's own; for one without a name, that of the caller's run */
  readonly model?: string
  /** The most model calls. @default 32 */
  readonly maxTurns?: number
}
