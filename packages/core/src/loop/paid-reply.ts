import type { QuotaTurn } from '../budget/model-quota.ts'
import { type ContextReport, fixedTokens } from '../context/fit-turns.ts'
import type { Rules } from '../gate/gate.ts'
import { type ModelRequest, type ModelResponse, NO_USAGE, type Usage } from '../provider.ts'
import { estimateTokens } from '../token-estimate.ts'
import { receiveReply } from './receive-reply.ts'
import type { RunScope } from './run-scope.ts'

/** Why a run ends without its next model call. */
export interface NoModelCall {
  readonly reason: 'denied' | 'limit'
  /** In words for people. */
  readonly denial: string
}

/**
 * The reply to a request, if what it may cost is within all limits. That is reserved before, and settled with what it was;
 * of a call that was cut off, whose usage nobody knows, everything that was reserved counts.
 */
export async function receivePaid(
  scope: RunScope,
  rules: Rules,
  request: ModelRequest,
  report: ContextReport,
): Promise<ModelResponse | NoModelCall> {
  const { services, namespace, signal, emit } = scope
  const { provider, meter, quota } = services
  const { model = provider.model } = request
  const inputTokens = Math.ceil(sentTokens(scope, report, request) * ESTIMATE_MARGIN)
  const planned = { provider: provider.name, model, inputTokens, maxOutputTokens: longestReply(scope, request) }
  const reserved = await meter.reserveModelCall(namespace, rules, planned, signal)
  if (!reserved.granted) return { reason: 'limit', denial: reserved.reason }

  const { maxOutputTokens } = reserved
  const affordable = maxOutputTokens === undefined ? request : { ...request, maxOutputTokens }
  let used: Usage | undefined = NO_USAGE
  let turn: QuotaTurn | undefined
  try {
    // What the model will say counts once it has said it.
    turn = await quota?.enter(namespace, inputTokens, signal)
    emit({ type: 'model-call-start', context: report })
    used = undefined
    const response = await receiveReply(scope, affordable, () => {
      used = NO_USAGE
    })
    used = response.usage
    return response
  } finally {
    if (used) turn?.settle(used.inputTokens + used.outputTokens)
    await reserved.settle(used)
  }
}

/** Estimates err on both sides; what is reserved must not. */
const ESTIMATE_MARGIN = 4 / 3

/** The estimated tokens of a request. Counted anew only where a hook may have changed it. */
function sentTokens(
  { services }: RunScope,
  report: ContextReport,
  { instructions, tools, messages }: ModelRequest,
): number {
  if (!services.hooks.has('beforeModelCall')) {
    return report.instructionTokens + report.toolTokens + report.messageTokens
  }
  const { instructionTokens, toolTokens } = fixedTokens(instructions, tools)
  return messages.reduce((sum, message) => sum + estimateTokens(message), instructionTokens + toolTokens)
}

function longestReply({ services }: RunScope, { maxOutputTokens }: ModelRequest): number {
  const { windowTokens, budgetTokens } = services.budget
  return maxOutputTokens ?? services.provider.limits?.maxOutputTokens ?? windowTokens - budgetTokens
}
