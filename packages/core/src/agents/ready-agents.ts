import { OrraError } from '../errors.ts'
import { globTest } from '../gate/glob.ts'
import { invalidOption, type OptionNames } from '../options.ts'
import { type AgentProfile, TASK_AGENT } from './profile.ts'

/** A profile that was checked, and no longer changes. */
export interface ReadyAgent extends AgentProfile {
  /** Whether its profile lets it use the tool of this name. Policies may still forbid it. */
  allowsTool(name: string): boolean
}

const PROFILE: OptionNames<AgentProfile> = {
  name: true,
  description: true,
  personality: true,
  instructions: true,
  model: true,
  tools: true,
}
const TEXTS = ['description', 'personality', 'instructions', 'model'] as const satisfies readonly (keyof AgentProfile)[]

/**
 * The agents of a runtime by name, in the order given. People call agents without regard to case, so two names that differ
 * in nothing else count as one. Throws `agent.invalid`, and `options.invalid` for what is no list.
 */
export function readyAgents(profiles: readonly AgentProfile[]): ReadonlyMap<string, ReadyAgent> {
  if (!Array.isArray(profiles)) throw invalidOption('agents', 'give a list of agents')
  const taken = new Set<string>()
  return new Map(
    (profiles as readonly AgentProfile[]).map((profile) => {
      const agent = readyAgent(profile)
      const called = agent.name.toLowerCase()
      if (taken.has(called)) throw invalid(agent.name, 'another agent has this name; give one of them another')
      taken.add(called)
      return [agent.name, agent]
    }),
  )
}

function readyAgent(profile: AgentProfile): ReadyAgent {
  if (typeof profile !== 'object' || profile === null || Array.isArray(profile)) {
    throw invalid('', 'it is not an object with a "name"')
  }
  const { name, model, tools } = profile
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw invalid(typeof name === 'string' ? name : '', 'its name must be 1 to 64 letters, digits, "_" or "-"')
  }
  if (name.toLowerCase() === TASK_AGENT) {
    throw invalid(name, `policies call an agent that is made for a single task "${TASK_AGENT}"; take another name`)
  }
  const unknown = Object.keys(profile).find((key) => !Object.hasOwn(PROFILE, key))
  if (unknown !== undefined) {
    throw invalid(name, `it has the unknown key "${unknown}"; known are ${Object.keys(PROFILE).join(', ')}`)
  }
  const wrong = TEXTS.find((key) => profile[key] !== undefined && typeof profile[key] !== 'string')
  if (wrong !== undefined) throw invalid(name, `its "${wrong}" is not text`)
  if (model === '') throw invalid(name, 'its "model" is empty; leave it out for the provider\'s own')
  return Object.freeze({ ...profile, ...readyTools(name, tools) })
}

function readyTools(name: string, tools: AgentProfile['tools']): Pick<ReadyAgent, 'tools' | 'allowsTool'> {
  if (tools === undefined) return { allowsTool: () => true }
  if (!Array.isArray(tools) || !tools.every((glob) => typeof glob === 'string' && glob !== '')) {
    throw invalid(name, 'its "tools" are not a list of names or globs')
  }
  const globs: readonly string[] = Object.freeze([...tools])
  const tests = globs.map(globTest)
  return { tools: globs, allowsTool: (tool) => tests.some((matches) => matches(tool)) }
}

function invalid(agent: string, problem: string): OrraError<'agent.invalid'> {
  return new OrraError('agent.invalid', `The agent "${agent}" cannot be used: ${problem}.`, {
    details: { agent, problem },
  })
}

export function unknownAgent(agent: string, known: readonly string[]): OrraError<'agent.unknown'> {
  const message = `This runtime has no agent named "${agent}"; it has ${known.length === 0 ? 'none' : known.join(', ')}.`
  return new OrraError('agent.unknown', message, { details: { agent, known } })
}
