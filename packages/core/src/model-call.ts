import { untilAborted } from './abort.ts'
import { fitTurns, fixedTokens } from './context.ts'
import type { OpenRun } from './conversation.ts'
import { OrraError } from './errors.ts'
import { requireAllowed } from './gate.ts'
import { type AssistantMessage, toolCallsOf } from './message.ts'
import type { ModelRequest, ModelResponse, ToolSpec } from './provider.ts'
import type { RunScope } from './run-scope.ts'
import { mustStayOpen } from './stay-open.ts'
import { wellFormed } from './well-formed.ts'

/** Calls the model once and appends its reply. Returns the reason when a hook denies the call. */
export async function callModel(scope: RunScope, run: OpenRun): Promise<{ readonly denied: string } | undefined> {
  const { services, namespace, runId, log, signal, emit } = scope
  const { hooks } = services
  const base = { namespace, runId, signal }

  let { request, report } = await prepareRequest(scope, run)
  if (hooks.has('beforeModelCall')) {
    const outcome = await hooks.call('beforeModelCall', base, { request })
    if (outcome.denied !== undefined) return { denied: outcome.denied }
    request = outcome.event.request
  }

  const model = { type: 'model', name: request.model ?? services.provider.model } as const
  requireAllowed(services.gate.decide(namespace, model), model)

  emit({ type: 'model-call-start', context: report })
  let response = await receive(scope, request)
  if (hooks.has('afterModelCall')) {
    const { message, stopReason, usage, model } = response
    const outcome = await hooks.call('afterModelCall', base, { message, stopReason, usage, model })
    response = { ...response, ...outcome.event }
  }

  const { stopReason, usage } = response
  const reply = { message: withUsableCalls(response), stopReason, usage, model: response.model }
  await log.append([{ type: 'message', ...reply }], scope)
  emit({ type: 'model-call-end', ...reply })
  return undefined
}

async function prepareRequest({ services, namespace, runId, log, signal }: RunScope, run: OpenRun) {
  const { provider, budget } = services
  const model = run.settings.model ?? provider.model
  const instructions =
    typeof services.instructions === 'function'
      ? wellFormed(await services.instructions({ namespace, runId, signal }))
      : services.instructions
  const tools = listTools(services, namespace, run)
  const { messages, report } = fitTurns(log.conversation.turns, budget, fixedTokens(instructions, tools))
  const request: ModelRequest = { model, messages, tools, ...(instructions === undefined ? {} : { instructions }) }
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
  const { services, log, signal, emit } = scope
  let seen = ''
  const reading = async (): Promise<ModelResponse> => {
    for await (const event of services.provider.stream(request, { signal })) {
      if (signal.aborted) break
      if (event.type === 'finish') return event
      if (event.type === 'text-delta') seen += event.text
      emit(event)
    }
    signal.throwIfAborted()
    throw badReply(services.provider.name)
  }
  try {
    return await untilAborted(reading(), signal)
  } catch (error) {
    if (signal.aborted && !mustStayOpen(signal.reason) && seen !== '') {
      const message: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text: seen }] }
      await log.append([{ type: 'message', message, stopReason: 'stop' }], scope)
    }
    throw error
  }
}

function badReply(provider: string): OrraError<'provider.bad-reply'> {
  const message = `The provider ${provider} ended its stream without "finish"; this is a fault of the provider package.`
  return new OrraError('provider.bad-reply', message, { details: { provider } })
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
