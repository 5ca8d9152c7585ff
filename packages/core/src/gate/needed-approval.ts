import { type ApprovalLevel, stricter } from '../approval-level.ts'
import type { AskedApproval } from './compile-policy.ts'
import type { Rules } from './rules.ts'

/** The stricter of what a tool asks for by itself and what policies ask for it. */
export function neededApproval(rules: Rules, tool: string, own: ApprovalLevel): AskedApproval {
  const held = rules.approvalOf(tool)
  if (!held || stricter(own, held.level) === own) return { level: own, rule: `the tool ${tool}` }
  return held
}
