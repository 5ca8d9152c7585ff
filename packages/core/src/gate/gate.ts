import type { Namespace } from '../namespace.ts'
import { type CompiledPolicy, compilePolicies, type Policies } from './policy.ts'

/** What somebody wants to do. */
type Action =
  /** See a tool, or call it. */
  | { readonly type: 'tool'; readonly name: string }
  /** Use a model. */
  | { readonly type: 'model'; readonly name: string }

type Decision =
  | { readonly allowed: true }
  /** `rule` names the policy, `reason` says it in words that may be shown to a model or a person. */
  | { readonly allowed: false; readonly rule: string; readonly reason: string }

/** The one place that knows who may do what. Asked whenever something is listed, and again whenever it is done. */
export interface Gate {
  decide(namespace: Namespace, action: Action): Decision
}

const ALLOWED: Decision = { allowed: true }
const SUBJECT = { tool: 'tools', model: 'models' } as const

/** Throws `policy.invalid`. */
export function createGate(policies: Policies): Gate {
  const compiled = compilePolicies(policies)
  return {
    decide(namespace, action) {
      const rule = firstDenial(compiled, namespace, action)
      if (rule === undefined) return ALLOWED
      return { allowed: false, rule, reason: `The ${action.type} "${action.name}" is not allowed here.` }
    },
  }
}

function firstDenial(policies: readonly CompiledPolicy[], namespace: Namespace, action: Action): string | undefined {
  for (const policy of policies) {
    const rule = policy.holdsFor(namespace) ? policy.denial(SUBJECT[action.type], action.name) : undefined
    if (rule !== undefined) return rule
  }
  return undefined
}
