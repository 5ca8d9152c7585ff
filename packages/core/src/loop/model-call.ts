import { untilAborted } from '../abort.ts'
import type { AgentProfile } from '../agents/profile.ts'
import { agentInstructions } from '../agents/prompt-builder.ts'
import { unknownAgent } from '../agents/ready-agents.ts'
import { fitTurns, fixedTokens } from '../context/fit-turns.ts'
import { isOrraError } from '../errors.ts'
import type { Rules } from '../gate/rules.ts'
import { toJson } from '../json.ts'
import type { OpenRun } from '../log/conversation.ts'
import { type AssistantMessage, toolCallsOf } from '../message.ts'
import type { ModelRequest, ModelResponse, ToolSpec } from '../provider.ts'
import { noteLost } from './bill-run.ts'
import { callersOf } from './caller.ts'
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
  const asked = paid.model === model ? {} : { asked: model }
  let reply: ModelResponse
  try {
    reply = { ...paid, message: await heardByHooks(scope, paid) }
    await log.append([{ type: 'message', ...reply, ...asked }], lease)
  } catch (error) {
    // Where nobody knows whether it was written, whoever reads the log will.
    if (!lease.signal.aborted || isOrraError(error, 'store.fenced', 'runtime.closed')) {
      noteLost(scope, { model: paid.model, ...asked, usage: paid.usage })
    }
    throw error
  }
  emit({ type: 'model-call-end', ...reply })
  return undefined
}

/** The message of a reply as it is to be written. What it has used is nothing that a hook can change. */
async function heardByHooks(scope: RunScope, { message, stopReason, usage, model }: ModelResponse) {
  const { hooks } = scope.services
  const base = hookBase(scope)
  let heard = message
  if (hooks.has('afterModelCall')) {
    const outcome = await hooks.call('afterModelCall', base, { message, stopReason, usage, model })
    heard = outcome.event.message
  }
  return await beforeAppend(hooks, base, withUsableCalls({ message: heard, stopReason }))
}

async function prepareRequest(scope: RunScope, run: OpenRun, rules: Rules) {
  const { services, log } = scope
  const { provider, budget, agents } = services
  const agent = run.settings.agent === undefined ? undefined : agents.get(run.settings.agent)
  if (run.settings.agent !== undefined && !agent) throw unknownAgent(run.settings.agent, [...agents.keys()])
  const model = run.settings.model ?? agent?.model ?? provider.model
  const tools = listTools(services, run, rules)
  const task = callersOf(scope.namespace, run) && run.settings.instructions
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
