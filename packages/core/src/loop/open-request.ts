import { untilAborted } from '../abort.ts'
import type { AgentProfile } from '../agents/profile.ts'
import { agentInstructions } from '../agents/prompt-builder.ts'
import { unknownAgent } from '../agents/ready-agents.ts'
import type { Measured } from '../context/calibrate.ts'
import { type Compiled, compile } from '../context/compile.ts'
import { READ_RESULT } from '../context/read-result.ts'
import type { Rules } from '../gate/rules.ts'
import { toJson } from '../json.ts'
import type { Conversation } from '../log/conversation.ts'
import type { Namespace } from '../namespace.ts'
import type { ModelRequest, ToolSpec } from '../provider.ts'
import type { RunSettings } from '../store/entry.ts'
import { refusalOf } from './may-use.ts'
import type { Services } from './run-scope.ts'

/** Whose request it is, and what it is made of. */
export interface RequestParts {
  readonly namespace: Namespace
  readonly runId: string
  readonly conversation: Conversation
  readonly settings: RunSettings
  readonly rules: Rules
  readonly signal: AbortSignal
}

/** All of a request but what of the conversation is in it. */
export interface OpenRequest {
  readonly request: Omit<ModelRequest, 'messages'> & { readonly model: string }
  /** With as much of the conversation as fits. Throws `context.too-long`. */
  compile(options?: CompileMore): Compiled
}

interface CompileMore {
  readonly mostTokens?: number
  readonly measured?: Measured
}

/** The request that comes next, as far as it does not depend on how much fits. Throws `agent.unknown`, and what instructions throw. */
export async function openRequest(services: Services, parts: RequestParts): Promise<OpenRequest> {
  const { provider, agents, context } = services
  const { settings, conversation } = parts
  const agent = settings.agent === undefined ? undefined : agents.get(settings.agent)
  if (settings.agent !== undefined && !agent) throw unknownAgent(settings.agent, [...agents.keys()])
  const model = settings.model ?? agent?.model ?? provider.model
  const tools = listTools(services, parts)
  const instructions = settings.instructions ?? (await instructionsFor(services, parts, agent, tools))
  const system = instructions === undefined || instructions === '' ? {} : { instructions: toJson(instructions) }
  const { measure, strategies } = context
  const canRead = tools.some(({ name }) => name === READ_RESULT)
  const options = {
    ...{ model, strategies, budget: context.budgetOf(model), shaper: context.shaper(model, canRead) },
    instructionTokens: measure.instructions(instructions ?? '', model),
    toolTokens: measure.tools(tools, model) + measure.output(settings.output, model),
  }
  return {
    request: { model, tools, ...system, ...(settings.output ? { outputSchema: settings.output } : {}) },
    compile: (more) => compile(conversation, { ...options, ...more }),
  }
}

/** The tools that this run may see, in the runtime's order, so that what is sent keeps its beginning. */
function listTools(services: Services, parts: RequestParts): readonly ToolSpec[] {
  const listed: ToolSpec[] = []
  for (const { name, spec } of services.tools.values()) {
    if (refusalOf(services, parts, parts.rules, name) === undefined) listed.push(spec)
  }
  return listed
}

async function instructionsFor(
  services: Services,
  { namespace, runId, conversation: { metadata }, signal }: RequestParts,
  agent: AgentProfile | undefined,
  tools: readonly ToolSpec[],
): Promise<string | undefined> {
  const instructions = services.instructions ?? (agent && agentInstructions)
  if (typeof instructions !== 'function') return instructions
  return untilAborted(instructions({ namespace, runId, ...(agent ? { agent } : {}), tools, metadata, signal }), signal)
}
