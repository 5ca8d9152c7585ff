/** What did not survive a crash. */
export interface CrashProblem {
  readonly kind: CrashProblemKind
  /** In a sentence. It may quote the conversation. */
  readonly problem: string
}

export type CrashProblemKind =
  /** Something that was accepted, written or settled is not there any more, or was never answered. */
  | 'lost'
  /** A tool was begun twice for one call, or a message is there twice. */
  | 'doubled'
  /** Work is left that nobody does, or something did not come to its end in time. */
  | 'stuck'
  /** The log is out of order, or the model was asked something that no model takes. */
  | 'illegal'
  /** The conversation is not the one that it is without a crash, and does not say why; or not every process would send the same of it. */
  | 'different'
  /** A process failed, or the application's own check did. */
  | 'failed'
