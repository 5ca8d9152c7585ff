import { type LinkedAbort, linkAbort } from '../abort.ts'
import type { Instructions } from '../agents/instructions.ts'
import type { ReadyAgent } from '../agents/ready-agents.ts'
import type { ApprovalRules } from '../approval/approval-options.ts'
import type { ExpectedReply } from '../budget/expected-reply.ts'
import type { Meter } from '../budget/meter.ts'
import type { ModelQuota } from '../budget/model-quota.ts'
import type { Prices } from '../budget/prices.ts'
import type { UsageBook } from '../budget/usage-book.ts'
import type { ContextRules } from '../context/context-rules.ts'
import type { Gate } from '../gate/gate.ts'
import type { HookEvent } from '../hooks/hooks.ts'
import type { JsonValue } from '../json.ts'
import type { KeptLease } from '../log/keep-lease.ts'
import type { LiveLog } from '../log/live-log.ts'
import type { Message } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import type { Provider } from '../provider.ts'
import type { RunEvent, RunOutcome, RunResult } from '../run-event.ts'
import type { InputEntry } from '../store/entry.ts'
import type { Notices } from '../store/notices.ts'
import type { Store } from '../store/store.ts'
import type { ReadyTool } from '../tool.ts'
import type { Crowd } from './crowd.ts'
import type { HookRunner } from './hook-runner.ts'

/** The parts of a runtime, shared by all its runs; none of them holds anything of anybody's. */
export interface Services {
  readonly provider: Provider
  readonly store: Store
  /** The store's, or those of this process. */
  readonly notices: Notices
  readonly tools: ReadonlyMap<string, ReadyTool>
  readonly hooks: HookRunner
  readonly gate: Gate
  readonly approvals: ApprovalRules
  readonly agents: ReadonlyMap<string, ReadyAgent>
  readonly prices: Prices | undefined
  readonly meter: Meter
  /** Who waits for a place among runs, in this process. */
  readonly crowd: Crowd
  readonly quota: ModelQuota | undefined
  readonly replies: ExpectedReply
  readonly instructions: Instructions | undefined
  readonly context: ContextRules
  readonly maxParallelTools: number
  readonly leaseTtlMs: number
}

/** One run, and all it may reach. */
export interface RunScope {
  readonly services: Services
  readonly namespace: Namespace
  readonly runId: string
  readonly log: LiveLog
  /** The lease under which it writes. Once that is lost, the run stays open. */
  readonly lease: KeptLease
  /** Aborts with the lease, and with whoever asked for the run. */
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
  readonly usage: UsageBook
  /** Aborts with the signal, and once somebody has decided of the call. */
  readonly untilDecided: (callId: string, signal: AbortSignal) => LinkedAbort
  /** What is waited for until it is disposed does not count as work. */
  readonly rest: () => Disposable
  /** Has older turns summed up, where that can be done. Whether there are fewer now. Throws the signal's reason. */
  readonly compact: (signal: AbortSignal) => Promise<boolean>
  /** Has a sub-agent answer in its own session. */
  readonly runChild: RunChild
  /** Aborts with the signal, and once the input no longer waits. */
  readonly untilWithdrawn: (input: string, signal: AbortSignal) => LinkedAbort
  /** An input has become part of this run, for whoever waits for it here. */
  readonly inputJoined: (input: string) => void
  /** An input that was to join this run came out without it. */
  readonly inputSettled: (input: string, outcome: RunOutcome) => void
}

/** Answers an input in the session of a sub-agent, or waits for the answer there is. */
export type RunChild = (child: ChildRun, emit: (event: RunEvent) => void) => Promise<RunResult>

export interface ChildRun {
  readonly namespace: Namespace
  readonly entry: InputEntry
  /** What its session is told about itself when it is made. */
  readonly metadata: { readonly [name: string]: JsonValue }
  readonly signal: AbortSignal
}

/** What every hook of this run is told. */
export function hookBase({ namespace, runId, log, signal }: RunScope): HookEvent {
  const { metadata, run } = log.conversation
  const { agent } = run?.settings ?? {}
  return { namespace, metadata, ...(agent === undefined ? {} : { agent }), runId, signal }
}

/** How long hooks may still take once their run is being stopped, in milliseconds. */
const LAST_WORDS_MS = 1000

/**
 * Calls hooks that are to be heard even when the run has been stopped: then they have a moment, instead of the run's own
 * signal. Rejects with the reason when that is over.
 */
export async function lastWords<T>(scope: RunScope, call: (base: HookEvent) => Promise<T>): Promise<T> {
  if (!scope.signal.aborted) return call(hookBase(scope))
  using moment = linkAbort(scope.lease.signal)
  const timer = setTimeout(() => moment.abort(scope.signal.reason), LAST_WORDS_MS)
  try {
    return await call({ ...hookBase(scope), signal: moment.signal })
  } finally {
    clearTimeout(timer)
  }
}

/** A message as it is to be written, once the hooks have seen it. */
export async function beforeAppend<M extends Message>(hooks: HookRunner, base: HookEvent, message: M): Promise<M> {
  if (!hooks.has('beforeAppend')) return message
  const { event } = await hooks.call('beforeAppend', base, { message })
  // The runner lets no patch through that is of another role.
  return event.message as M
}
