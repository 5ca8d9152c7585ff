import type { PlannedCall } from '../budget/reserved.ts'
import type { LostCall } from '../budget/spend.ts'
import type { ContextReport } from '../context/context-report.ts'
import type { Rules } from '../gate/rules.ts'
import { addCounts, type ModelRequest, type ModelResponse, NO_USAGE } from '../provider.ts'
import { noteLost } from './bill-run.ts'
import { type ModelDesk, openModelDesk } from './may-use-model.ts'
import { isHeldAgainst, plannedCall } from './planned-call.ts'
import { receiveReply } from './receive-reply.ts'
import { openTally, type ReplyTally } from './reply-tally.ts'
import type { RunScope } from './run-scope.ts'

/** Why a run ends without its next model call. */
export interface NoModelCall {
  readonly reason: 'denied' | 'limit'
  /** In words for people. */
  readonly denial: string
}

/** The reply to a run's request, if what it may cost is within all limits. */
export function receivePaid(
  scope: RunScope,
  rules: Rules,
  request: ModelRequest,
  report: ContextReport,
): Promise<ModelResponse | NoModelCall> {
  const planned = plannedCall(scope.services, request, report, isHeldAgainst(scope.services, rules))
  return payReply(scope, rules, planned, {
    lost: (call) => noteLost(scope, call),
    receive(shorter, tally, { mayUse }) {
      scope.emit({ type: 'model-call-start', context: report })
      return receiveReply(scope, { ...request, ...shorter }, tally, mayUse)
    },
  })
}

/** A model call that is to be paid for. */
interface PayableCall {
  /** The reply; `shorter` where not all that was planned may be spent. The desk says which models may be asked. */
  receive(
    shorter: { readonly maxOutputTokens?: number },
    tally: ReplyTally,
    desk: Pick<ModelDesk, 'mayUse'>,
  ): Promise<ModelResponse>
  /** It was cut off, or failed, having used something. */
  lost(call: LostCall): void
}

/**
 * The reply to a call, if what it may cost is within all limits. Once it is its turn, that is reserved, and settled with
 * what it was; of a call that was cut off, with what was sent and what may have been made until then.
 */
export async function payReply(
  { services, namespace, signal }: Pick<RunScope, 'services' | 'namespace' | 'signal'>,
  rules: Rules,
  planned: PlannedCall,
  { receive, lost }: PayableCall,
): Promise<ModelResponse | NoModelCall> {
  let used: LostCall = { model: planned.model, usage: NO_USAGE }
  // Whoever waits for a turn holds nothing that others could spend meanwhile.
  const likely = planned.inputTokens + services.replies.of(planned.maxOutputTokens)
  const turn = await services.quota?.enter(namespace, likely, signal)
  try {
    const reserved = await services.meter.reserveModelCall(rules, planned, signal)
    if (!reserved.granted) return { reason: 'limit', denial: reserved.reason }
    const { maxOutputTokens = planned.maxOutputTokens } = reserved
    // What is as long as it would be anyway is not told how long: a provider may refuse what its model never does.
    const shorter = maxOutputTokens < planned.maxOutputTokens ? { maxOutputTokens } : {}
    const tally = openTally({ ...planned, maxOutputTokens })
    const desk = openModelDesk(rules, reserved)
    let isWhole = false
    try {
      const response = await receive(shorter, tally, desk)
      isWhole = true
      services.replies.learn(response.usage.outputTokens)
      return response
    } catch (error) {
      throw desk.explained(error)
    } finally {
      used = tally.used()
      if (!isWhole) lost(used)
      await reserved.settle(used.usage, used)
    }
  } finally {
    turn?.settle(addCounts(used.usage.inputTokens, used.usage.outputTokens))
  }
}
