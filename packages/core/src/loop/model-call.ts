import type { Compiled } from '../context/compile.ts'
import { requestTokens } from '../context/measure.ts'
import { isOrraError } from '../errors.ts'
import type { Rules } from '../gate/rules.ts'
import type { OpenRun } from '../log/conversation.ts'
import { type AssistantMessage, toolCallsOf } from '../message.ts'
import type { ModelRequest, ModelResponse } from '../provider.ts'
import type { SentContext } from '../store/entry.ts'
import { noteLost } from './bill-run.ts'
import { callersOf } from './caller.ts'
import { fitRequest } from './fit-request.ts'
import { type OpenRequest, openRequest } from './open-request.ts'
import { type NoModelCall, receivePaid } from './paid-reply.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'

/** How much of what was sent is sent again once the provider has said that it was too much. */
const SHARE_AFTER_OVERFLOW = 0.5

/** Calls the model once and appends its reply, unless a policy, a hook or a limit is against it. */
export async function callModel(scope: RunScope, run: OpenRun, rules: Rules): Promise<NoModelCall | undefined> {
  const { services, log, lease, emit } = scope
  const open = await openRequest(services, partsOf(scope, run, rules))
  const answer = await askOnceMore(scope, open, rules)
  if ('reason' in answer) return answer
  const { response, context, model, provider: askedProvider } = answer
  const asked = { ...(response.model === model ? {} : { asked: model }), askedProvider }
  let reply: ModelResponse
  try {
    reply = { ...response, message: await heardByHooks(scope, response) }
    await log.append([{ type: 'message', ...reply, ...asked, context }], lease)
  } catch (error) {
    // Where nobody knows whether it was written, whoever reads the log will.
    if (!lease.signal.aborted || isOrraError(error, 'store.fenced', 'runtime.closed')) {
      noteLost(scope, { model: response.model, ...asked, provider: response.provider, usage: response.usage })
    }
    throw error
  }
  emit({ type: 'model-call-end', ...reply })
  return undefined
}

/** A reply, and what was sent for it. */
interface Answer {
  readonly response: ModelResponse
  readonly context: SentContext
  /** The model and the provider that were asked. */
  readonly model: string
  readonly provider: string
}

/** Where the provider says that it was too much, less is sent, once. */
async function askOnceMore(scope: RunScope, open: OpenRequest, rules: Rules): Promise<Answer | NoModelCall> {
  const fitting = await fitRequest(scope, open, rules)
  try {
    return await ask(scope, open, rules, fitting)
  } catch (error) {
    if (scope.signal.aborted || !isOrraError(error, 'provider.context-too-long')) throw error
    const mostTokens = Math.floor(fitting.report.estimatedTokens * SHARE_AFTER_OVERFLOW)
    return await ask(scope, open, rules, smaller(open, mostTokens, error))
  }
}

function smaller(open: OpenRequest, mostTokens: number, overflow: unknown): Compiled {
  try {
    return open.compile({ mostTokens })
  } catch {
    throw overflow
  }
}

async function ask(
  scope: RunScope,
  open: OpenRequest,
  rules: Rules,
  { messages, sent, report }: Compiled,
): Promise<Answer | NoModelCall> {
  const { services } = scope
  const { hooks } = services
  let request: ModelRequest = { ...open.request, messages }
  if (hooks.has('beforeModelCall')) {
    const outcome = await hooks.call('beforeModelCall', hookBase(scope), { request })
    if (outcome.denied !== undefined) return { reason: 'denied', denial: outcome.denied }
    request = outcome.event.request
  }
  const { model = open.request.model } = request
  const decision = rules.decide({ type: 'model', name: model })
  if (!decision.allowed) {
    return { reason: 'denied', denial: `${decision.reason} The policy is ${decision.rule}.` }
  }
  const { name: provider } = services.provider
  const paid = await receivePaid(scope, rules, request, report)
  if ('reason' in paid) return paid
  return {
    response: paid,
    model,
    provider,
    context: hooks.has('beforeModelCall') ? recounted(services, request, sent, open.request.model) : sent,
  }
}

/** What a request comes to that hooks may have changed, and for which model it was made. */
function recounted(
  { context: { measure } }: RunScope['services'],
  request: ModelRequest,
  sent: SentContext,
  madeFor: string,
): SentContext {
  const { model = madeFor } = request
  const estimatedTokens = requestTokens(measure, { ...request, model })
  return { ...sent, estimatedTokens, ...(model === madeFor ? {} : { model: madeFor }) }
}

function partsOf(scope: RunScope, run: OpenRun, rules: Rules) {
  const { namespace, runId, log, signal } = scope
  const { instructions: task, ...settings } = run.settings
  const isTask = task !== undefined && callersOf(namespace, run) !== undefined
  const { conversation } = log
  return { namespace, runId, conversation, settings: isTask ? run.settings : settings, rules, signal }
}

/** The message of a reply as it is to be written. What it has used is nothing that a hook can change. */
async function heardByHooks(scope: RunScope, response: ModelResponse) {
  const { hooks } = scope.services
  const base = hookBase(scope)
  let { message } = response
  if (hooks.has('afterModelCall')) {
    const outcome = await hooks.call('afterModelCall', base, response)
    message = outcome.event.message
  }
  return await beforeAppend(hooks, base, withUsableCalls({ ...response, message }))
}

/**
 * The message with calls that can be answered. Those of a reply that was cut off or refused are left out, for nobody knows
 * what they were to be; and results find their calls by id, so no two may share one.
 */
function withUsableCalls({ message, stopReason }: Pick<ModelResponse, 'message' | 'stopReason'>): AssistantMessage {
  if (toolCallsOf(message).length === 0) return message
  if (stopReason === 'length' || stopReason === 'refused') {
    return { ...message, content: message.content.filter(({ type }) => type !== 'tool-call') }
  }
  const seen = new Set<string>()
  const content = message.content.map((part) => {
    if (part.type !== 'tool-call') return part
    let callId = part.callId
    for (let copy = 2; callId === '' || seen.has(callId); copy += 1) callId = `${part.callId}-${copy}`
    seen.add(callId)
    return { ...part, callId }
  })
  return { ...message, content }
}
