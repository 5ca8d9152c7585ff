import type { ApprovalLevel } from '../approval-level.ts'
import { Namespace } from '../namespace.ts'
import type { SourceFailure } from './ask-source.ts'
import { type CompiledPolicy, type NamedSubject, strictestApproval } from './compile-policy.ts'
import type { HeldLimit, LimitName } from './limits.ts'

/** What somebody wants to do. */
export type Action =
  /** See a tool, or call it. */
  | { readonly type: 'tool'; readonly name: string }
  /** Use a model. */
  | { readonly type: 'model'; readonly name: string }
  /** Have a sub-agent work. `depth` is 1 for one that a person's own run begins. */
  | { readonly type: 'agent'; readonly name: string; readonly depth: number }

type Decision =
  | { readonly allowed: true }
  /** `rule` names the policy, `reason` says it in words that may be shown to a model or a person. */
  | { readonly allowed: false; readonly rule: string; readonly reason: string }

/** All policies that hold for one namespace, met. */
export interface Rules {
  decide(action: Action): Decision
  /** The strictest level that any policy asks for a tool; absent where none asks. */
  approvalOf(tool: string): { readonly level: ApprovalLevel; readonly rule: string } | undefined
  /** All limits that hold, of every policy. */
  readonly limits: readonly HeldLimit[]
  /** The smallest of one name. */
  limit(name: LimitName): HeldLimit | undefined
  /** Why nothing can be decided here, in words that may be shown: a source's policies cannot be had. All is denied. */
  readonly unreachable?: string
  /** With `unreachable`: what went wrong, for whoever runs the application. */
  readonly cause?: unknown
}

/** How deep sub-agents may be nested where no policy says it. */
const SPAWN_DEPTH = 3

const ALLOWED: Decision = { allowed: true }
const SUBJECT: { readonly [Type in Action['type']]: NamedSubject } = { tool: 'tools', model: 'models', agent: 'agents' }

/** The policies that hold for a namespace, met. With a failure they deny everything. */
export function createRules(namespace: Namespace, policies: readonly CompiledPolicy[], failure?: SourceFailure): Rules {
  const limits = Object.freeze(heldLimits(namespace, policies))

  function limit(name: LimitName): HeldLimit | undefined {
    let smallest: HeldLimit | undefined
    for (const held of limits) {
      if (held.name === name && (!smallest || held.value < smallest.value)) smallest = held
    }
    return smallest
  }

  function tooDeep(depth: number): Decision | undefined {
    const held = limit('spawnDepth')
    const deepest = held?.value ?? SPAWN_DEPTH
    // Turned round, so that what is no number is too deep.
    if (depth <= deepest) return undefined
    const reason =
      deepest === 0
        ? 'Sub-agents are not allowed here.'
        : `Sub-agents may be nested ${deepest} deep here, and this one would be deeper.`
    return denied(held?.rule ?? 'limits.spawnDepth, by default', reason)
  }

  return {
    decide(action) {
      if (failure) return denied(failure.rule, failure.reason)
      for (const policy of policies) {
        const rule = policy.denial(SUBJECT[action.type], action.name)
        if (rule !== undefined) return denied(rule, `The ${action.type} "${action.name}" is not allowed here.`)
      }
      return (action.type === 'agent' ? tooDeep(action.depth) : undefined) ?? ALLOWED
    },
    approvalOf(tool) {
      if (failure) return { level: 'always', rule: failure.rule }
      return strictestApproval(policies.flatMap((policy) => policy.approval(tool) ?? []))
    },
    limits,
    limit,
    ...(failure && { unreachable: failure.reason, cause: failure.cause }),
  }
}

function denied(rule: string, reason: string): Decision {
  return { allowed: false, rule, reason }
}

function heldLimits({ segments }: Namespace, policies: readonly CompiledPolicy[]): HeldLimit[] {
  return policies.flatMap((policy) => {
    if (policy.limits.length === 0) return []
    const namespace = Namespace.of(...(segments.slice(0, policy.segments.length) as [string]))
    return policy.limits.map((limit) => Object.freeze({ ...limit, namespace }))
  })
}
