import type { Namespace } from '../namespace.ts'

/** What windows of time limit. A message is a run, and what sub-agents are asked for it is not; tokens are those sent and made; money is in US dollars. */
export type Counted = 'runs' | 'tokens' | 'usd'

/** Windows of the calendar, in UTC. */
export type WindowUnit = 'Minute' | 'Hour' | 'Day' | 'Month'

/** Such as `usdPerDay`. */
export type WindowLimitName = `${Counted}Per${WindowUnit}`

/**
 * How much of something a namespace may have. What is counted over several runs is counted where the policy's pattern
 * ends: under `tenant:*` each tenant has the amount for itself, and all of its users share it.
 */
export type Limits = Readonly<Partial<Record<WindowLimitName, number>>> & {
  /** Model calls of one run. */
  readonly maxTurns?: number
  /** Tool calls of one run. */
  readonly toolCallsPerRun?: number
  /** Runs at the same time. What is more waits. */
  readonly concurrentRuns?: number
  /** How long a run may work at one go, in milliseconds. What it waits for an approval does not count. */
  readonly runTimeMs?: number
  /** How deep sub-agents may be nested: 0 for none. A policy may ask for more than the default. @default 3 */
  readonly spawnDepth?: number
}

export type LimitName = keyof Limits

/** A limit that holds for a namespace. */
export interface HeldLimit {
  readonly name: LimitName
  readonly value: number
  /** Where it is counted: the part of the namespace that the pattern matches. All below it share what is counted. */
  readonly namespace: Namespace
  /** The policy, in words. */
  readonly rule: string
}
