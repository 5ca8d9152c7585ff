import type { PlannedCall } from '../budget/reserved.ts'
import type { ContextReport } from '../context/context-report.ts'
import { requestTokens } from '../context/measure.ts'
import { mediaBeyondEstimate } from '../context/media-beyond.ts'
import type { Rules } from '../gate/rules.ts'
import type { ModelRequest } from '../provider.ts'
import type { Services } from './run-scope.ts'

/** Estimates err on both sides; what is reserved must not. */
const ESTIMATE_MARGIN = 4 / 3

/** What is known of the size of a request. */
export type SentTokens = Pick<ContextReport, 'model' | 'windowTokens' | 'budgetTokens' | 'estimatedTokens'>

/** Whether somebody counts what a model call uses. */
export function isHeldAgainst({ quota }: Services, { limits }: Rules): boolean {
  return quota !== undefined || limits.length > 0
}

/**
 * What a model call may use. On the safe side where somebody holds it against a limit or a quota: then everything that is sent
 * is looked at, for it may hold files.
 */
export function plannedCall(
  services: Services,
  request: ModelRequest,
  report: SentTokens,
  isLimited: boolean,
): PlannedCall {
  const { provider } = services
  return {
    provider: provider.name,
    model: request.model ?? provider.model,
    inputTokens: isLimited ? sentTokens(services, request, report) : report.estimatedTokens,
    maxOutputTokens: longestReply(services, request, report),
  }
}

/** Nothing that is sent is longer than the context window, whatever files are in it. */
function sentTokens({ hooks, provider, context }: Services, request: ModelRequest, report: SentTokens): number {
  const estimated = hooks.has('beforeModelCall') ? requestTokens(context.measure, request) : report.estimatedTokens
  const likely = Math.ceil(estimated * ESTIMATE_MARGIN)
  const windowTokens = Math.max(report.windowTokens, provider.limits?.contextWindow ?? 0)
  const beyond = mediaBeyondEstimate(request.messages, (part) => provider.mediaTokens?.(part, report.model))
  return Math.max(likely, Math.min(likely + beyond, windowTokens))
}

/**
 * What the provider lets the model say where nobody asks for less. Where nobody knows that, it is what the context keeps
 * free for the reply.
 */
function longestReply({ provider }: Services, { maxOutputTokens }: ModelRequest, report: SentTokens): number {
  return maxOutputTokens ?? provider.limits?.maxOutputTokens ?? report.windowTokens - report.budgetTokens
}
