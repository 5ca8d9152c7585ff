import { untilAborted } from '../abort.ts'
import type { AgentProfile } from '../agents/profile.ts'
import { agentInstructions } from '../agents/prompt-builder.ts'
import { unknownAgent } from '../agents/ready-agents.ts'
import { fitTurns, fixedTokens } from '../context/fit-turns.ts'
import type { Rules } from '../gate/gate.ts'
import { toJson } from '../json.ts'
import type { OpenRun } from '../log/conversation.ts'
import { type AssistantMessage, toolCallsOf } from '../message.ts'
import type { ModelRequest, ModelResponse, ToolSpec } from '../provider.ts'
import { callerOf } from './caller.ts'
import { refusalOf } from './may-use.ts'
import { type NoModelCall, receivePaid } from './paid-reply.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'

/** Calls the model once and appends its reply, unless a policy, a hook or a limit is against it. */
export async function callModel(scope: RunScope, run: OpenRun, rules: Rules): Promise<NoModelCall | undefined> {
  const { services, log, lease, emit } = scope
  const { hooks, provider } = services
  const base = hookBase(scope)

  let { request, report } = await prepareRequest(scope, run, rules)
  if (hooks.has('beforeModelCall')) {
    const outcome = await hooks.call('beforeModelCall', base, { request })
    if (outcome.denied !== undefined) return { reason: 'denied', denial: outcome.denied }
    request = outcome.event.request
  }
  const model = request.model ?? provider.model
  const decision = rules.decide({ type: 'model', name: model })
  if (!decision.allowed) {
    return { reason: 'denied', denial: `${decision.reason} The policy is ${decision.rule}.` }
  }
  const paid = await receivePaid(scope, rules, request, report)
  if ('reason' in paid) return paid
  let response: ModelResponse = paid
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

async function prepareRequest(scope: RunScope, run: OpenRun, rules: Rules) {
  const { services, log } = scope
  const { provider, budget, agents } = services
  const agent = run.settings.agent === undefined ? undefined : agents.get(run.settings.agent)
  if (run.settings.agent !== undefined && !agent) throw unknownAgent(run.settings.agent, [...agents.keys()])
  const model = run.settings.model ?? agent?.model ?? provider.model
  const tools = listTools(services, run, rules)
  const task = callerOf(scope.namespace, run) && run.settings.instructions
  const instructions = task ?? (await instructionsFor(scope, agent, tools))
  const { messages, report } = fitTurns(log.conversation.turns, budget, fixedTokens(instructions, tools))
  const system = instructions === undefined || instructions === '' ? {} : { instructions: toJson(instructions) }
  const request: ModelRequest = { model, messages, tools, ...system }
  return { request, report }
}

/** The tools that this run may see, in the runtime's order, so that what is sent keeps its beginning. */
function listTools(services: RunScope['services'], run: OpenRun, rules: Rules): readonly ToolSpec[] {
  const listed: ToolSpec[] = []
  for (const { name, spec } of services.tools.values()) {
    if (refusalOf(services, run, rules, name) === undefined) listed.push(spec)
  }
  return listed
}

async function instructionsFor(
  { services, namespace, runId, log, signal }: RunScope,
  agent: AgentProfile | undefined,
  tools: readonly ToolSpec[],
): Promise<string | undefined> {
  const instructions = services.instructions ?? (agent && agentInstructions)
  if (typeof instructions !== 'function') return instructions
  const { metadata } = log.conversation
  return untilAborted(instructions({ namespace, runId, ...(agent ? { agent } : {}), tools, metadata, signal }), signal)
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
