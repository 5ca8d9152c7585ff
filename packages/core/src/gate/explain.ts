import type { ApprovalLevel } from '../approval-level.ts'
import { invalidOption } from '../options.ts'
import type { AskedApproval } from './compile-policy.ts'
import type { HeldLimit } from './limits.ts'
import { neededApproval } from './needed-approval.ts'
import type { Action, Rules } from './rules.ts'

/** What the gate would say to an action, and why. */
export interface Explanation {
  readonly allowed: boolean
  /** The policy that denies it. */
  readonly rule?: string
  /** In words that may be shown to a person. */
  readonly reason: string
  /** For a tool that is allowed and needs one, or decides by its input whether it does. */
  readonly approval?: AskedApproval | { readonly level: 'by-input'; readonly rule: string }
  /** For a model or an agent that is allowed: all limits that hold. What is left of them is not looked at. */
  readonly limits?: readonly HeldLimit[]
}

/** Asks nobody and changes nothing. `tool` is the one that is spoken of, where there is one. Throws `options.invalid` for what is no action. */
export function explain(
  rules: Rules,
  action: Action,
  tool?: { readonly approval: ApprovalLevel | ((...args: never) => unknown) },
): Explanation {
  checkAction(action)
  const decision = rules.decide(action)
  if (!decision.allowed) return decision
  const allowed = { allowed: true, reason: `No policy denies the ${action.type} "${action.name}" here.` }
  if (action.type !== 'tool') return { ...allowed, limits: rules.limits }
  const own = tool && typeof tool.approval === 'string' ? tool.approval : 'never'
  const approval = neededApproval(rules, action.name, own)
  if (approval.level !== 'never') return { ...allowed, approval }
  if (typeof tool?.approval !== 'function') return allowed
  return { ...allowed, approval: { level: 'by-input', rule: `the tool ${action.name}` } }
}

const TYPES: { readonly [Type in Action['type']]: true } = { tool: true, model: true, agent: true }

function checkAction(action: Action): void {
  if (typeof action !== 'object' || action === null || !Object.hasOwn(TYPES, action.type)) {
    throw invalidOption('action', 'give an object whose "type" is "tool", "model" or "agent"')
  }
  if (typeof action.name !== 'string' || action.name === '') {
    throw invalidOption('action', `give the "name" of the ${action.type}`)
  }
  if (action.type === 'agent' && !(Number.isInteger(action.depth) && action.depth > 0)) {
    throw invalidOption('action', 'give the "depth" of the agent, which is 1 for one that a run begins')
  }
}
