import { createHash } from 'node:crypto'
import { pause } from '../abort.ts'
import { TASK_AGENT } from '../agents/profile.ts'
import { unknownAgent } from '../agents/ready-agents.ts'
import { OrraError } from '../errors.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { toUserMessage } from '../message.ts'
import { Namespace } from '../namespace.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { RunResult } from '../run-event.ts'
import type { SpawnWork } from '../spawn.ts'
import type { InputEntry, Lineage, RunSettings } from '../store/entry.ts'
import { canGoOn, type ReadyTool } from '../tool.ts'
import { sayLive } from './live-notice.ts'
import type { RunScope, Services } from './run-scope.ts'

/** Thrown through a tool whose call waits for something that others say; the call is then made again. */
export const CALL_WAITS = Symbol('the call waits')

const WORK: OptionNames<SpawnWork> = {
  input: true,
  agent: true,
  instructions: true,
  tools: true,
  model: true,
  maxTurns: true,
}

/** How often a tool that cannot be called again looks whether its sub-agent goes on, in milliseconds. */
const LOOK_MS = 1000

/** The `spawn` of one tool call. The sub-agents that it begins are told apart by their order, so that they are found again. */
export function spawnOf(
  scope: RunScope,
  run: OpenRun,
  open: OpenCall,
  tool: ReadyTool,
  signal: AbortSignal,
): (work: SpawnWork) => Promise<RunResult> {
  let begun = 0
  return async (work) => {
    // Before anything is waited for: several that are begun at once have the order of their calls.
    begun += 1
    const place = placeOf(scope, open, begun)
    checkWork(work)
    signal.throwIfAborted()
    const { agent = TASK_AGENT } = work
    const lineage = lineageOf(scope, run, open, agent)
    await permit(scope, agent, lineage, signal)
    const namespace = scope.namespace.child('agent', agent, place)
    const entry: InputEntry = {
      ...{ type: 'input', key: place, message: toUserMessage(work.input), spawnedBy: lineage },
      settings: settingsOf(scope, run, work),
    }
    const { autoApprove } = scope.log.conversation.metadata
    for (;;) {
      const result = await scope.runChild({ namespace, entry, autoApprove: autoApprove === true, signal }, (event) =>
        scope.emit({ type: 'agent-event', callId: open.call.callId, agent, namespace: namespace.key, event }),
      )
      if (result.reason !== 'suspended') return result
      if (canGoOn(tool)) throw CALL_WAITS
      await pause(LOOK_MS, signal)
      signal.throwIfAborted()
    }
  }
}

/** Who began a sub-agent's run; nobody, when a log that was imported names somebody above whom it does not lie. */
export function callerOf(
  { key }: Namespace,
  run: { readonly spawnedBy?: Lineage | undefined } | undefined,
): Lineage | undefined {
  const { spawnedBy } = run ?? {}
  return spawnedBy && key.startsWith(`${spawnedBy.namespace}:`) ? spawnedBy : undefined
}

/** Whether the call that began a sub-agent still waits for it: its run is open. */
export async function isWanted({ services, signal }: RunScope, { namespace, runId }: Lineage): Promise<boolean> {
  const head = await services.store.sessions.head(Namespace.parse(namespace), { signal })
  return head?.openRun?.runId === runId
}

/** A sub-agent that was suspended has its answer: the call that suspended with it is to be made again. */
export async function wakeCaller({ store, notices }: Services, caller: Lineage, signal: AbortSignal): Promise<void> {
  const namespace = Namespace.parse(caller.namespace)
  const { runId, callId } = caller
  await store.sessions.append(namespace, [{ type: 'call-woken', runId, callId }], { signal })
  sayLive(notices, namespace, { type: 'changed' })
}

function checkWork(work: SpawnWork): void {
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

function lineageOf({ namespace, runId }: RunScope, run: OpenRun, { call }: OpenCall, agent: string): Lineage {
  const { settings } = run
  const spawnedBy = callerOf(namespace, run)
  const above = spawnedBy?.agents ?? (settings.agent === undefined ? [] : [settings.agent])
  return {
    ...{ namespace: namespace.key, runId, callId: call.callId },
    ...{ depth: (spawnedBy?.depth ?? 0) + 1, agents: [...above, agent] },
  }
}

/** Throws `agent.unknown` and `agent.denied`. */
async function permit(
  { services, namespace }: RunScope,
  agent: string,
  { agents, depth }: Lineage,
  signal: AbortSignal,
): Promise<void> {
  if (agent !== TASK_AGENT && !services.agents.has(agent)) throw unknownAgent(agent, [...services.agents.keys()])
  if (agent !== TASK_AGENT && agents.indexOf(agent) < agents.length - 1) {
    throw denied(agent, 'It is among those that wait for this answer already.')
  }
  const decision = (await services.gate.at(namespace, signal)).decide({ type: 'agent', name: agent, depth })
  if (!decision.allowed) throw denied(agent, decision.reason)
}

/** Names the sub-agent: the same for the same call, and for no other call of the session. */
function placeOf({ runId }: RunScope, { call, seq }: OpenCall, begun: number): string {
  return createHash('sha256')
    .update(JSON.stringify([runId, seq, call.callId, begun]))
    .digest('base64url')
    .slice(0, 22)
}

function settingsOf({ services }: RunScope, { settings }: OpenRun, work: SpawnWork): RunSettings {
  const { agent, instructions, model = agent === undefined ? settings.model : undefined, maxTurns } = work
  const tools = toolsOf(services, settings, work)
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(model === undefined ? {} : { model }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(tools === undefined ? {} : { tools }),
  }
}

/** What a run's own `tools` leave out, its sub-agents do not get; and one without a name has nothing that its caller lacks. */
function toolsOf(
  { tools, agents }: RunScope['services'],
  settings: RunSettings,
  { agent, tools: wanted }: SpawnWork,
): readonly string[] | undefined {
  const unknown = wanted?.find((name) => !tools.has(name))
  if (unknown !== undefined) throw unknownTool(unknown, [...tools.keys()])
  if (agent !== undefined && !wanted) return settings.tools
  const profile = settings.agent === undefined ? undefined : agents.get(settings.agent)
  const has = (name: string) =>
    (settings.tools?.includes(name) ?? true) && (agent !== undefined || (profile?.allowsTool(name) ?? true))
  return (wanted ?? [...tools.keys()]).filter(has)
}

function unknownTool(tool: string, known: readonly string[]): OrraError<'tool.unknown'> {
  const message = `This runtime has no tool named "${tool}"; it has ${known.length === 0 ? 'none' : known.join(', ')}.`
  return new OrraError('tool.unknown', message, { details: { tool, known } })
}

function denied(agent: string, reason: string): OrraError<'agent.denied'> {
  return new OrraError('agent.denied', `The agent "${agent}" may not be asked here: ${reason}`, {
    details: { agent, reason },
  })
}
