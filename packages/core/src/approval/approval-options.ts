import { compilePattern } from '../gate/pattern.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'

export interface ApprovalOptions {
  /**
   * A run waits, for days if need be and in no process, until somebody calls `decide`. Without it, a call that no hook
   * approves at once is refused. @default false
   */
  readonly suspend?: boolean
  /** How long a call may be approved after it was asked for, in milliseconds. Later it counts as refused. @default 7 days */
  readonly expiresMs?: number
  /** Who may decide: patterns of namespaces. @default the namespace that asks, and its ancestors */
  readonly deciders?: (request: Omit<ApprovalRequest, 'deciders'>) => readonly string[]
}

/** Throws `options.invalid` for what are no patterns. */
export function checkDeciders(patterns: readonly string[]): readonly string[] {
  try {
    if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === 'string')) throw new TypeError()
    for (const pattern of patterns) compilePattern(pattern)
    return [...patterns]
  } catch {
    throw invalidOption('approvals', 'what "deciders" gives is a list of patterns, such as "tenant:acme:admin:*"')
  }
}

/** The options, checked and whole. */
export type ApprovalRules = Required<Omit<ApprovalOptions, 'deciders'>> & Pick<ApprovalOptions, 'deciders'>

const OPTIONS: OptionNames<ApprovalOptions> = { suspend: true, expiresMs: true, deciders: true }
const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** Throws `options.invalid`. */
export function approvalRules(options: ApprovalOptions = {}): ApprovalRules {
  checkOptions('"approvals"', options, OPTIONS)
  const { suspend = false, expiresMs = WEEK_MS, deciders } = options
  if (typeof suspend !== 'boolean') throw invalidOption('approvals', '"suspend" is true or false')
  if (!(Number.isSafeInteger(expiresMs) && expiresMs > 0)) {
    throw invalidOption('approvals', '"expiresMs" is a whole number of milliseconds above 0')
  }
  if (deciders !== undefined && typeof deciders !== 'function') {
    throw invalidOption('approvals', '"deciders" is a function that gives patterns')
  }
  return { suspend, expiresMs, ...(deciders ? { deciders } : {}) }
}
