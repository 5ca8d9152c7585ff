import { TASK_AGENT } from '../agents/profile.ts'
import { OrraError } from '../errors.ts'
import type { Rules } from '../gate/rules.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { SpawnWork } from '../spawn.ts'
import type { RunSettings } from '../store/entry.ts'
import type { Lineage } from '../store/lineage.ts'
import { callersOf } from './caller.ts'
import { refusalOf } from './may-use.ts'
import type { RunScope, Services } from './run-scope.ts'

const WORK: OptionNames<SpawnWork> = {
  input: true,
  agent: true,
  instructions: true,
  tools: true,
  model: true,
  maxTurns: true,
}

export function checkWork(work: SpawnWork): void {
  checkOptions('spawn', work, WORK)
  const { agent, instructions, tools, model, maxTurns } = work
  if (agent !== undefined && typeof agent !== 'string') throw invalidOption('agent', 'give the name of an agent')
  if (agent !== undefined && instructions !== undefined) {
    throw invalidOption('instructions', 'an agent with a name has its own; leave one of the two out')
  }
  if (instructions !== undefined && typeof instructions !== 'string') throw invalidOption('instructions', 'give text')
  if (tools !== undefined && !(Array.isArray(tools) && tools.every((name) => typeof name === 'string'))) {
    throw invalidOption('tools', 'give a list of tool names')
  }
  if (model !== undefined && (typeof model !== 'string' || model === '')) throw invalidOption('model', 'give a name')
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && maxTurns > 0)) {
    throw invalidOption('maxTurns', 'give a whole number above 0')
  }
}

export function lineageOf({ namespace, runId }: RunScope, run: OpenRun, { call }: OpenCall, agent: string): Lineage {
  const { settings } = run
  const lineage = callersOf(namespace, run)
  const above = lineage?.agents ?? (settings.agent === undefined ? [] : [settings.agent])
  const caller = { namespace: namespace.key, runId, callId: call.callId }
  return { callers: lineage ? [...lineage.callers, caller] : [caller], agents: [...above, agent] }
}

/** Throws `agent.unknown` and `agent.denied`. A model is told of nothing that it did not name. */
export function permit({ services }: RunScope, agent: string, { agents, callers }: Lineage, rules: Rules): void {
  if (agent !== TASK_AGENT && !services.agents.has(agent)) {
    const details = { agent, known: [] }
    throw new OrraError('agent.unknown', `There is no agent named "${agent}" here.`, { details })
  }
  if (agent !== TASK_AGENT && agents.indexOf(agent) < agents.length - 1) {
    throw denied(agent, 'It is among those that wait for this answer already.')
  }
  const decision = rules.decide({ type: 'agent', name: agent, depth: callers.length })
  if (!decision.allowed) throw denied(agent, decision.reason)
}

export function settingsOf({ services }: RunScope, run: OpenRun, work: SpawnWork, rules: Rules): RunSettings {
  const { agent, instructions, maxTurns } = work
  const { settings } = run
  const own = settings.agent === undefined ? undefined : services.agents.get(settings.agent)
  const { model = agent === undefined ? (settings.model ?? own?.model) : undefined } = work
  const tools = toolsOf(services, run, work, rules)
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(model === undefined ? {} : { model }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(tools === undefined ? {} : { tools }),
  }
}

/**
 * What a run's own `tools` leave out, its sub-agents do not get; and one without a name has nothing that its caller lacks.
 * Throws `tool.unknown` for a tool that is asked for and cannot be given, whether it is hidden or not there.
 */
function toolsOf(
  services: Services,
  run: OpenRun,
  { agent, tools: wanted }: SpawnWork,
  rules: Rules,
): readonly string[] | undefined {
  const { settings } = run
  if (agent !== undefined && !wanted) return settings.tools
  const { agent: _, ...unnamed } = settings
  const caller = agent === undefined ? run : { ...run, settings: unnamed }
  const has = (name: string) => services.tools.has(name) && refusalOf(services, caller, rules, name) === undefined
  const missing = wanted?.find((name) => !has(name))
  if (missing !== undefined) {
    const message = `There is no tool named "${missing}" that this run could give away.`
    throw new OrraError('tool.unknown', message, { details: { tool: missing, known: [] } })
  }
  return wanted ?? [...services.tools.keys()].filter(has)
}

function denied(agent: string, reason: string): OrraError<'agent.denied'> {
  return new OrraError('agent.denied', `The agent "${agent}" may not be asked here: ${reason}`, {
    details: { agent, reason },
  })
}
