import { untilAborted } from '../abort.ts'
import { areFull } from '../context/compactable.ts'
import type { Compiled } from '../context/compile.ts'
import type { Rules } from '../gate/rules.ts'
import type { OpenRequest } from './open-request.ts'
import type { RunScope } from './run-scope.ts'

/** How much of the budget is filled when a request is counted exactly, where somebody can. */
const NEARLY_FULL = 0.75

/**
 * A request with as much of the conversation as fits. Where it may be too long and somebody can count it, that is done;
 * where turns would be dropped, older ones are compacted first. Throws `context.too-long`, and the signal's reason.
 */
export async function fitRequest(scope: RunScope, open: OpenRequest, rules: Rules): Promise<Compiled> {
  const { services, log, signal, compact } = scope
  const { context } = services
  const { model } = open.request
  // Nothing is said to anybody for a model that is not going to be asked.
  if (!rules.decide({ type: 'model', name: model }).allowed) return open.compile()
  const compiled = await countedExactly(scope, open, open.compile())
  if (!compiled.dropsMore || !context.compactsByItself || !areFull(log.conversation, context, model)) return compiled
  const isShorter = await compact(signal)
  return isShorter ? countedExactly(scope, open, open.compile()) : compiled
}

async function countedExactly(
  { services, signal }: RunScope,
  { request, compile }: OpenRequest,
  compiled: Compiled,
): Promise<Compiled> {
  const { requestCounter } = services.context
  const { messages, sent, report, dropsMore } = compiled
  const isNearlyFull = report.estimatedTokens >= report.budgetTokens * NEARLY_FULL
  if (!requestCounter || !(isNearlyFull || dropsMore || report.squeezedMessages > 0)) return compiled
  let realTokens: number
  try {
    realTokens = await untilAborted(requestCounter.countRequest({ ...request, messages }, { signal }), signal)
  } catch {
    signal.throwIfAborted()
    // There is an estimate, too.
    return compiled
  }
  return compile({ measured: { estimatedTokens: sent.estimatedTokens, realTokens } })
}
