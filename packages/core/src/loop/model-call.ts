import { untilAborted } from '../abort.ts'
import { fitTurns, fixedTokens } from '../context/fit-turns.ts'
import { OrraError, toOrraError } from '../errors.ts'
import { toJson } from '../json.ts'
import type { OpenRun } from '../log/conversation.ts'
import { type AssistantMessage, isMessageOf, toolCallsOf } from '../message.ts'
import { isUsage, type ModelRequest, type ModelResponse, type ToolSpec } from '../provider.ts'
import { beforeAppend, hookBase, lastWords, type RunScope } from './run-scope.ts'

/** Calls the model once and appends its reply. Returns the reason when a policy or a hook denies the call. */
export async function callModel(scope: RunScope, run: OpenRun): Promise<{ readonly denied: string } | undefined> {
  const { services, namespace, log, lease, emit } = scope
  const { hooks, gate, provider } = services
  const base = hookBase(scope)

  let { request, report } = await prepareRequest(scope, run)
  if (hooks.has('beforeModelCall')) {
    const outcome = await hooks.call('beforeModelCall', base, { request })
    if (outcome.denied !== undefined) return { denied: outcome.denied }
    request = outcome.event.request
  }
  const decision = gate.decide(namespace, { type: 'model', name: request.model ?? provider.model })
  if (!decision.allowed) return { denied: `${decision.reason} The policy is ${decision.rule}.` }

  emit({ type: 'model-call-start', context: report })
  let response = await receive(scope, request)
  if (hooks.has('afterModelCall')) {
    const { message, stopReason, usage, model } = response
    const outcome = await hooks.call('afterModelCall', base, { message, stopReason, usage, model })
    response = { ...response, ...outcome.event }
  }

  const { stopReason, usage } = response
  const message = await beforeAppend(hooks, base, withUsableCalls(response))
  const reply = { message, stopReason, usage, model: response.model }
  await log.append([{ type: 'message', ...reply }], lease)
  emit({ type: 'model-call-end', ...reply })
  return undefined
}

async function prepareRequest({ services, namespace, runId, log, signal }: RunScope, run: OpenRun) {
  const { provider, budget } = services
  const model = run.settings.model ?? provider.model
  const instructions =
    typeof services.instructions === 'function'
      ? await untilAborted(services.instructions({ namespace, runId, signal }), signal)
      : services.instructions
  const tools = listTools(services, namespace, run)
  const { messages, report } = fitTurns(log.conversation.turns, budget, fixedTokens(instructions, tools))
  const system = instructions === undefined ? {} : { instructions: toJson(instructions) }
  const request: ModelRequest = { model, messages, tools, ...system }
  return { request, report }
}

/** The tools that this run may see, in the runtime's order, so that what is sent keeps its beginning. */
function listTools(
  { tools, gate }: RunScope['services'],
  namespace: RunScope['namespace'],
  run: OpenRun,
): readonly ToolSpec[] {
  const listed: ToolSpec[] = []
  for (const { name, spec } of tools.values()) {
    if (run.settings.tools && !run.settings.tools.includes(name)) continue
    if (gate.decide(namespace, { type: 'tool', name }).allowed) listed.push(spec)
  }
  return listed
}

/** What the model says, handed on while it comes. Of a reply that is aborted, the text that was seen is kept. */
async function receive(scope: RunScope, request: ModelRequest): Promise<ModelResponse> {
  const { services, log, lease, signal, emit } = scope
  let seen = ''
  const reading = async (): Promise<ModelResponse> => {
    signal.throwIfAborted()
    for await (const event of services.provider.stream(request, { signal })) {
      if (signal.aborted) break
      if (event.type === 'finish') return checked(event, services.provider.name)
      if (event.type === 'text-delta') seen += event.text
      emit(event)
    }
    signal.throwIfAborted()
    throw badReply(services.provider.name, 'it ended its stream without "finish"')
  }
  try {
    return await untilAborted(reading(), signal)
  } catch (error) {
    if (signal.aborted && !lease.signal.aborted && seen !== '') {
      const partial: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text: toJson(seen) }] }
      const message = await lastWords(scope, (base) => beforeAppend(services.hooks, base, partial))
      await log.append([{ type: 'message', message, stopReason: 'stop' }], lease)
    }
    throw signal.aborted ? error : toOrraError(error, `the provider "${services.provider.name}"`)
  }
}

/** A reply that is fit to be kept, sharing nothing with the provider. */
function checked(response: ModelResponse, provider: string): ModelResponse {
  const { message, stopReason, usage, model } = response
  if (!isMessageOf('assistant', message)) throw badReply(provider, 'its message is not whole')
  if (!Object.hasOwn(STOP_REASONS, stopReason)) throw badReply(provider, 'its stop reason is none of those there are')
  if (!isUsage(usage) || typeof model !== 'string') throw badReply(provider, 'it lacks its usage or its model')
  try {
    return { message: toJson(message), stopReason, usage: toJson(usage), model }
  } catch (error) {
    throw badReply(provider, 'its message is not JSON, or nested too deeply', error)
  }
}

const STOP_REASONS: { readonly [Reason in ModelResponse['stopReason']]: true } = {
  stop: true,
  'tool-calls': true,
  length: true,
  refused: true,
}

function badReply(provider: string, problem: string, cause?: unknown): OrraError<'provider.bad-reply'> {
  const message = `The reply of the provider ${provider} cannot be used: ${problem}. It is a fault of the provider's code, or of the model.`
  return new OrraError('provider.bad-reply', message, { details: { provider }, cause })
}

/**
 * The message with calls that can be answered. Those of a reply that was cut off or refused are left out, for nobody knows
 * what they were to be; and results find their calls by id, so no two may share one.
 */
function withUsableCalls({ message, stopReason }: ModelResponse): AssistantMessage {
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
