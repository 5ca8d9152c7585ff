import type { PlannedCall } from '../budget/reserved.ts'
import { type ContextReport, fixedTokens } from '../context/fit-turns.ts'
import type { ModelRequest } from '../provider.ts'
import { estimateTokens, mediaBeyondEstimate } from '../token-estimate.ts'
import type { Services } from './run-scope.ts'

/** Estimates err on both sides; what is reserved must not. */
const ESTIMATE_MARGIN = 4 / 3

/**
 * What a model call may use. On the safe side where somebody holds it against a limit or a quota: then everything that is sent
 * is looked at, for it may hold files.
 */
export function plannedCall(
  services: Services,
  request: ModelRequest,
  report: ContextReport,
  isLimited: boolean,
): PlannedCall {
  const { provider } = services
  return {
    provider: provider.name,
    model: request.model ?? provider.model,
    inputTokens: isLimited ? sentTokens(services, request, report) : tokensOf(report),
    maxOutputTokens: longestReply(services, request),
  }
}

/** Nothing that is sent is longer than the context window, whatever files are in it. */
function sentTokens({ hooks, provider, budget }: Services, request: ModelRequest, report: ContextReport): number {
  const estimated = hooks.has('beforeModelCall') ? countedAnew(request) : tokensOf(report)
  const likely = Math.ceil(estimated * ESTIMATE_MARGIN)
  const windowTokens = Math.max(budget.windowTokens, provider.limits?.contextWindow ?? 0)
  return Math.max(likely, Math.min(likely + mediaBeyondEstimate(request.messages), windowTokens))
}

function tokensOf({ instructionTokens, toolTokens, messageTokens }: ContextReport): number {
  return instructionTokens + toolTokens + messageTokens
}

/** A hook may have changed what the report counts. */
function countedAnew({ instructions, tools, messages }: ModelRequest): number {
  const { instructionTokens, toolTokens } = fixedTokens(instructions, tools)
  return messages.reduce((sum, message) => sum + estimateTokens(message), instructionTokens + toolTokens)
}

/**
 * What the provider lets the model say where nobody asks for less. Where nobody knows that, it is what the context keeps
 * free for the reply.
 */
function longestReply({ provider, budget }: Services, { maxOutputTokens }: ModelRequest): number {
  return maxOutputTokens ?? provider.limits?.maxOutputTokens ?? budget.windowTokens - budget.budgetTokens
}
