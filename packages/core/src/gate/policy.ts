import type { ApprovalLevel } from '../approval-level.ts'
import { OrraError } from '../errors.ts'
import type { Limits } from './limits.ts'

/** Names by glob: `*` stands for any run of characters. */
export interface NameRule {
  /** Only these. @default all */
  readonly allow?: readonly string[]
  /** Never these, whatever `allow` says. @default none */
  readonly deny?: readonly string[]
}

/** What a subtree of namespaces may do. It can only narrow what its ancestors' policies leave. */
export interface Policy {
  readonly tools?: NameRule
  readonly models?: NameRule
  /** Sub-agents by name; one made for a single task is called `task`. */
  readonly agents?: NameRule
  /** By glob of a tool's name: what its calls need at least. It can raise what a tool asks for, and never lower it. */
  readonly approval?: { readonly [tool: string]: ApprovalLevel }
  readonly limits?: Limits
}

/**
 * Policies by pattern. A pattern is written like a namespace's key, with `*` for any run of characters within one
 * segment, and holds for the namespaces it matches and all below them: `tenant:*` for every tenant and its users. A
 * literal `*` is written `%2A`. Several may hold for one namespace; then each must allow and none may deny, the strictest
 * approval is asked for and every limit holds.
 */
export interface Policies {
  readonly [pattern: string]: Policy
}

/** The one sentence in which a policy is refused; without a pattern it is about all of them. */
export function invalidPolicy(pattern: string | undefined, problem: string): OrraError<'policy.invalid'> {
  const what = pattern === undefined ? 'The policies' : `The policy for "${pattern}"`
  const details = { pattern: pattern ?? '', problem }
  return new OrraError('policy.invalid', `${what} cannot be used: ${problem}.`, { details })
}
