import type { DecideOptions } from './approval/decide.ts'
import type { UsageReport, UsageWindow } from './budget/usage.ts'
import type { Explanation } from './gate/explain.ts'
import type { Action } from './gate/rules.ts'
import type { Preview } from './loop/preview.ts'
import type { RecoverOptions } from './loop/recover.ts'
import type { UserInput } from './message.ts'
import type { Namespace } from './namespace.ts'
import type { RunEvent, RunResult } from './run-event.ts'
import type { PreviewOptions, ResumeOptions, RunOptions, SubmitOptions } from './run-options.ts'
import type { Infer, Schema } from './schema.ts'
import type { EraseReceipt } from './session/everything-under.ts'
import type { Session } from './session/session.ts'
import type { ApprovalRequest } from './store/approval-request.ts'
import type { StoreOptions } from './store/page.ts'

/** Serves any number of users at once; each namespace is a session of its own, and one message at a time is answered in it. */
export interface Runtime extends AsyncDisposable {
  /**
   * Answers a message; the same as draining `stream`. With a `key` that was accepted before, it waits for that message's
   * answer, or returns the one there is. With an `output`, an answer that completes comes as that, too. Throws what made the
   * run fail, `output.invalid`, and `session.busy` where that is asked for.
   */
  run<Output extends Schema = Schema>(
    namespace: Namespace,
    input: UserInput,
    options?: RunOptions<Output>,
  ): Promise<RunResult<Infer<Output>>>
  /**
   * Answers a message and tells of it while it happens, from the first `next` on. Leaving the loop stops the run. Throws
   * what made the run fail, after everything that happened before was yielded.
   */
  stream(namespace: Namespace, input: UserInput, options?: RunOptions): AsyncIterable<RunEvent>
  /**
   * Accepts a message, durably, and resolves to its key. It is answered by whichever process recovers, or next runs or
   * resumes something in this session. Throws `session.busy` where that is asked for.
   */
  submit(namespace: Namespace, input: UserInput, options?: SubmitOptions): Promise<string>
  /**
   * Finishes what the session's log leaves open after a crash. The next `run` does so, too; this is for those who do
   * not want to wait for one. Resolves to the last result, or `undefined` when nothing was open; throws what made the
   * last run fail.
   */
  resume(namespace: Namespace, options?: ResumeOptions): Promise<RunResult | undefined>
  /**
   * Does, for as long as this process is to do it, the work that nobody does: messages that were submitted, and runs whose
   * process died. Any number of processes may. Resolves once its signal aborts; throws `runtime.closed`.
   */
  recover(options?: RecoverOptions): Promise<void>
  /** Calls that wait for somebody's approval, in a namespace and all below it: those of sub-agents are among them. */
  approvals(within: Namespace, options?: StoreOptions): AsyncIterable<ApprovalRequest>
  /**
   * Decides of a call that waits for an approval, durably and once and for all. Its run is gone on with by whichever process
   * recovers, or next runs or resumes something in this session. Throws `approval.gone` when nothing waits, and
   * `approval.forbidden` when `by` may not decide.
   */
  decide(namespace: Namespace, callId: string, decision: DecideOptions): Promise<void>
  /** What the gate would say to an action, and the policy that would make it say so. Asks nobody else and changes nothing. */
  explain(namespace: Namespace, action: Action, options?: StoreOptions): Promise<Explanation>
  /**
   * What would be sent to the model next, and what would be left out and why: in the run that is open, or for a message that
   * were sent now. Calls no model and writes nothing.
   */
  preview(namespace: Namespace, options?: PreviewOptions): Promise<Preview>
  /**
   * Has a summary written now in the place of all turns but the newest, which stay in the log. Resolves to what stands there;
   * `undefined` where there is nothing to sum up. Throws `context.not-compacted`, and what the model throws; then nothing is changed.
   */
  compact(namespace: Namespace, options?: StoreOptions): Promise<Compacted | undefined>
  /** What a namespace and all below it have used, by model and by tool. */
  usage(within: Namespace, window: UsageWindow, options?: StoreOptions): Promise<UsageReport>
  session(namespace: Namespace): Session
  /** Everything that the store has of a namespace and of all below it, as JSON Lines: sessions, records, counters. */
  export(within: Namespace, options?: StoreOptions): AsyncIterable<string>
  /**
   * Removes all of it, whatever is being done there. A tool that was running in another process may still write something
   * afterwards, if it does not heed its signal; and the usage of a run that
   * was at work there may be written once more. What limits had counted is forgotten, too: let nobody erase more than that.
   */
  erase(within: Namespace, options?: StoreOptions): Promise<EraseReceipt>
  /** Starts the plugins, once; the first work does so, too. Throws `plugin.failed`. */
  start(): Promise<void>
  /** Serves all channels of the plugins, until the signal aborts or all have nothing more to serve. Rejects as soon as one does. */
  serve(options?: ServeOptions): Promise<void>
  /** Stops all work at once, and the plugins. Runs stay open in their logs and are gone on with when their session is next claimed. */
  close(): Promise<void>
}

export interface Compacted {
  readonly summary: string
  /** For how many turns it stands. */
  readonly turns: number
}

export interface ServeOptions {
  readonly signal?: AbortSignal | undefined
}
