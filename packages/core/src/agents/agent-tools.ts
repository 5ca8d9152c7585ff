import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { RunResult } from '../run-event.ts'
import { defineTool, type Tool } from '../tool.ts'
import type { AgentProfile } from './profile.ts'
import { readyAgents } from './ready-agents.ts'

/** What holds for every sub-agent that is made for a single task. */
export interface SpawnAgentOptions {
  /** What it is told before its task. @default what the runtime tells an agent without a name */
  readonly instructions?: string
  /** @default that of the run that makes it */
  readonly model?: string
  /** The most model calls. @default 32 */
  readonly maxTurns?: number
}

const OPTIONS: OptionNames<SpawnAgentOptions> = { instructions: true, model: true, maxTurns: true }

/**
 * A tool named `spawn_agent`: the model has a sub-agent work on one task, apart from its own conversation, and gets what
 * it answers. The same call made again waits for the same sub-agent. Throws `options.invalid`.
 */
export function spawnAgent(options: SpawnAgentOptions = {}): Tool {
  checkSpawnAgent(options)
  return defineTool({
    name: 'spawn_agent',
    description:
      'Has a sub-agent do one task and returns its answer. ' +
      'It sees nothing of this conversation, so the task must hold all that it needs to know.',
    input: {
      type: 'object',
      properties: {
        task: { type: 'string', minLength: 1, description: 'What it is to do, and what it is to answer with.' },
        tools: {
          type: 'array',
          items: { type: 'string' },
          description: 'Names of the tools that it may use, of those you have. Leave it out to give it all of them.',
        },
      },
      required: ['task'],
      additionalProperties: false,
    },
    idempotent: true,
    async execute(input, context) {
      const { task, tools } = input as { readonly task: string; readonly tools?: readonly string[] }
      return answerOf(await context.spawn({ ...options, input: task, ...(tools ? { tools } : {}) }))
    },
  })
}

/**
 * A tool named `delegate_to_agent`: the model has one of these agents answer a message, and gets the answer. The runtime
 * must have the same agents. The same call made again waits for the same sub-agent. Throws `agent.invalid`, and
 * `options.invalid` when there is no agent.
 */
export function delegateToAgent(agents: readonly AgentProfile[]): Tool {
  const ready = readyAgents(agents)
  if (ready.size === 0) throw invalidOption('agents', 'give at least one agent to delegate to')
  return defineTool({
    name: 'delegate_to_agent',
    description: [
      'Has another agent answer a message and returns its answer. ' +
        'It sees nothing of this conversation, so the message must hold all that it needs to know. The agents:',
      ...Array.from(ready.values(), lineFor),
    ].join('\n'),
    input: {
      type: 'object',
      properties: {
        agent: { type: 'string', enum: [...ready.keys()], description: 'Who is to answer.' },
        message: { type: 'string', minLength: 1, description: 'What it is asked.' },
      },
      required: ['agent', 'message'],
      additionalProperties: false,
    },
    idempotent: true,
    async execute(input, context) {
      const { agent, message } = input as { readonly agent: string; readonly message: string }
      return answerOf(await context.spawn({ agent, input: message }))
    },
  })
}

function lineFor({ name, description = '' }: AgentProfile): string {
  const told = description.replaceAll(/\s+/g, ' ').trim()
  return told === '' ? `- ${name}` : `- ${name}: ${told}`
}

/** How an agent came to an end before it was done, for a model. */
const ENDED_EARLY: { readonly [reason: string]: string } = {
  length: 'Its answer was cut off, for it was longer than one reply may be.',
  refused: 'The agent declined to answer.',
  'max-turns': 'The agent stopped before it was done: it had called its model as often as it may.',
  limit: 'The agent stopped before it was done: a limit was reached.',
  aborted: 'The agent was stopped before it was done.',
  denied: 'The agent was not allowed to go on.',
}

/** The agent's answer; or how it ended, with the reason there is and what it had said by then. */
function answerOf({ reason, text, denial }: RunResult): string {
  const said = text.trim()
  if (reason === 'completed') return said === '' ? 'The agent has finished and said nothing.' : text
  const ended = ENDED_EARLY[reason] ?? `The agent ended before it was done (${reason}).`
  const why = denial === undefined ? ended : `${ended} The reason: ${denial}`
  return said === '' ? why : `${why}\n\nWhat it said last:\n\n${text}`
}

function checkSpawnAgent(options: SpawnAgentOptions): void {
  checkOptions('spawnAgent', options, OPTIONS)
  const { instructions, model, maxTurns } = options
  if (instructions !== undefined && typeof instructions !== 'string') throw invalidOption('instructions', 'give text')
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw invalidOption('model', 'give the name of a model')
  }
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && maxTurns > 0)) {
    throw invalidOption('maxTurns', 'give a whole number above 0')
  }
}
