import { type ApprovalLevel, stricter } from '../approval-level.ts'
import { globTest } from './glob.ts'
import type { LimitName } from './limits.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import { invalidPolicy, type NameRule, type Policy } from './policy.ts'
import { checkedPolicy } from './policy-schema.ts'

/** What a policy speaks of by name. */
export type NamedSubject = 'tools' | 'models' | 'agents'

/** What a policy asks for, and which of its words do. */
export interface AskedApproval {
  readonly level: ApprovalLevel
  readonly rule: string
}

/** A policy made ready to be asked. Rules are given in words. */
export interface CompiledPolicy {
  readonly pattern: string
  readonly segments: Pattern
  /** What it was made of: a frozen copy. */
  readonly policy: Policy
  /** The rule that denies `name`; `undefined` when nothing here does. */
  denial(subject: NamedSubject, name: string): string | undefined
  /** The strictest of all globs that match; `undefined` when none does. */
  approval(tool: string): AskedApproval | undefined
  readonly limits: readonly { readonly name: LimitName; readonly value: number; readonly rule: string }[]
}

/** Throws `policy.invalid`. */
export function compilePolicy(pattern: string, given: unknown): CompiledPolicy {
  const segments = compilePattern(pattern)
  const policy = checkedPolicy(pattern, given)
  const rules = {
    tools: compileNames(policy.tools),
    models: compileNames(policy.models),
    agents: compileNames(policy.agents),
  }
  const approvals = Object.entries(policy.approval ?? {}).map(([glob, level]) => {
    if (glob === '') throw invalidPolicy(pattern, '"approval" has an empty key; give the name or glob of a tool')
    return { ...compileName(glob), level, rule: `${pattern}: approval ${glob}` }
  })
  const limits = Object.entries(policy.limits ?? {}) as [LimitName, number][]

  return {
    pattern,
    segments,
    policy,
    denial(subject, name) {
      const { allow, deny } = rules[subject]
      const denied = deny.find((glob) => glob.matches(name))
      if (denied) return `${pattern}: ${subject}.deny ${denied.glob}`
      if (allow && !allow.some((glob) => glob.matches(name))) return `${pattern}: ${subject}.allow`
      return undefined
    },
    approval: (tool) => strictestApproval(approvals.filter(({ matches }) => matches(tool))),
    limits: limits.map(([name, value]) => ({ name, value, rule: `${pattern}: limits.${name}` })),
  }
}

/** The first of the strictest. */
export function strictestApproval(asked: Iterable<AskedApproval>): AskedApproval | undefined {
  let strictest: AskedApproval | undefined
  for (const { level, rule } of asked) {
    if (!strictest || stricter(strictest.level, level) !== strictest.level) strictest = { level, rule }
  }
  return strictest
}

interface CompiledNames {
  readonly allow: readonly CompiledName[] | undefined
  readonly deny: readonly CompiledName[]
}

interface CompiledName {
  readonly glob: string
  readonly matches: (name: string) => boolean
}

function compileNames({ allow, deny = [] }: NameRule = {}): CompiledNames {
  return { allow: allow?.map(compileName), deny: deny.map(compileName) }
}

function compileName(glob: string): CompiledName {
  return { glob, matches: globTest(glob) }
}
