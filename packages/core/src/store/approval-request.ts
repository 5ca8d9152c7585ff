import type { ApprovalLevel } from '../approval-level.ts'
import type { JsonValue } from '../json.ts'
import type { Lineage } from './lineage.ts'

/** A call that waits for somebody's decision; as it stands in the log. */
export interface ApprovalRequest {
  /** The key of the namespace whose run asks. A sub-agent's lies below that of its caller. */
  readonly namespace: string
  readonly runId: string
  readonly callId: string
  readonly tool: string
  /** What is to be approved: the input as hooks have left it, before the schema puts in what is left out. */
  readonly input: JsonValue
  /** SHA-256 of the run, the tool and the input, in hexadecimal digits. What was approved is done as it was or not at all. */
  readonly inputHash: string
  readonly level: Exclude<ApprovalLevel, 'never'>
  /** What asked for it: the tool, or a policy. */
  readonly rule: string
  /**
   * Who may decide: patterns as in policies, which hold for the namespaces that they match and all below. @default the
   * namespace that asks, and its ancestors, and nobody else
   */
  readonly deciders?: readonly string[]
  /** Whose call the run answers, when it is a sub-agent's. */
  readonly spawnedBy?: Lineage
  /** When it was asked, and from when on it can no longer be approved: milliseconds since 1970. */
  readonly requestedAt: number
  readonly expiresAt: number
}

/** What somebody decided. */
export interface ApprovalDecision {
  readonly approved: boolean
  /** Why, in words that the model gets when it was not approved. */
  readonly reason?: string
}
