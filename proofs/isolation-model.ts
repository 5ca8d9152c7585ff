import {
  type AgentProfile,
  type JsonObject,
  type ModelRequest,
  type ModelResponse,
  OrraError,
  type Provider,
  type StopReason,
  textOf,
} from '@orra/core'
import type { Lookout } from './isolation-lookout.ts'
import type { Tenant } from './isolation-tenant.ts'
import { BAD_IDS, COLLECTIONS, COMMON_WORDS, IDS } from './isolation-words.ts'
import { type Random, seededRandom } from './storm-random.ts'

/** Agents whose names are legal and mean something to JavaScript. */
export const AGENTS: readonly AgentProfile[] = [
  { name: 'writer', description: 'Writes.', personality: 'You write.' },
  { name: 'constructor', description: 'Makes.', tools: ['note', 'memory', 'say'] },
  { name: '__proto__', description: 'Is.' },
]

/** Names of agents, and of none. */
export const AGENT_NAMES: readonly string[] = [...AGENTS.map(({ name }) => name), 'task', 'hasOwnProperty', '../writer']

/** What it asks for more often than for others, for much depends on them. */
const FAVOURITES: readonly string[] = ['note', 'ask_agent', 'spawn_agent', 'wipe', 'wipe', 'read_result', 'read_result']

/** Thrown on purpose, by the model and by tools. */
export class Mischief extends Error {}

/** Every fourth call has an id that the model makes up, the same for everybody. */
const CALL_IDS: readonly string[] = ['call-1', 'call-2', 'call-3', '__proto__', '', ...IDS]

export interface HostileModelOptions {
  readonly lookout: Lookout
  readonly seed: number
  /** The tools that it asks for, offered or not. */
  readonly tools: readonly string[]
  readonly spend: (tenant: Tenant, inputTokens: number, outputTokens: number) => void
}

/** A model that does what it can to reach others: it names their namespaces, ids, tools, agents and calls. */
export function hostileModel({ lookout, seed, tools, spend }: HostileModelOptions): Provider {
  const wanted = [...tools, ...FAVOURITES]
  return {
    name: 'hostile',
    model: 'model-a',
    limits: { contextWindow: 6000, maxOutputTokens: 500 },
    async *stream(request) {
      const tenant = lookout.handed('a request of a model', undefined, request)
      if (!tenant) return
      checkAllowed(lookout, tenant, request)
      const last = request.messages.at(-1)
      const heard = last?.role === 'tool' ? 'result' : textOf(last ?? [])
      const random = seededRandom(seed, `${request.messages.length} ${tenant.index} ${heard}`)
      if (random.chance(0.03)) throw mischief(random, tenant)
      const text = `${tenant.secret} ${COMMON_WORDS} ${random.pick(IDS)}`
      for (const piece of [text.slice(0, 9), text.slice(9)]) yield { type: 'text-delta', text: piece }
      const wantsTools = random.chance(last?.role === 'tool' ? 0.25 : 0.65)
      const count = wantsTools ? Math.ceil(random.next() * 3) : 0
      const calls = Array.from({ length: count }, () => toolCall(random, wanted, tenant, request))
      const usage = { inputTokens: Math.ceil(random.between(1, 200)), outputTokens: Math.ceil(random.between(1, 200)) }
      spend(tenant, usage.inputTokens, usage.outputTokens)
      const message: ModelResponse['message'] = { role: 'assistant', content: [{ type: 'text', text }, ...calls] }
      const stopReason = count > 0 ? 'tool-calls' : ending(random)
      const model = `model of ${tenant.secret}`
      yield { type: 'finish', message, stopReason, usage: { ...usage, cacheReadTokens: 0, cacheWriteTokens: 0 }, model }
    },
  }
}

function checkAllowed({ find }: Lookout, tenant: Tenant, { model, tools }: ModelRequest): void {
  if (model === tenant.deniedModel)
    find('done', 'a model', `the denied model ${model} is called for tenant ${tenant.index}`)
  for (const { name } of tools) {
    if (tenant.deniedTools.has(name))
      find('done', 'a model', `the denied tool ${name} is offered to tenant ${tenant.index}`)
  }
}

/** Of a steady tenant's model only what surely costs nothing, for its ledger has no estimates. */
function mischief(random: Random, { secret, isSteady }: Tenant): Error {
  if (!isSteady && random.chance(0.3)) return new Mischief(`The model of ${secret} has failed.`)
  const details = { provider: 'hostile', status: 529 }
  return new OrraError('provider.unavailable', `The model of ${secret} is away.`, { details })
}

function ending(random: Random): StopReason {
  if (random.chance(0.9)) return 'stop'
  return random.chance(0.5) ? 'length' : 'refused'
}

function toolCall(random: Random, tools: readonly string[], tenant: Tenant, request: ModelRequest) {
  const unknown = ['__proto__', 'constructor', '../note', 'NOTE']
  const name = (random.chance(0.05) ? random.pick(unknown) : random.pick(tools)) ?? 'note'
  const callId = random.chance(0.25) ? (random.pick(CALL_IDS) ?? '') : `call-${Math.floor(random.next() * 1e12)}`
  return { type: 'tool-call', callId, name, input: inputFor(name, random, tenant, request) } as const
}

/** What a model would write that knows the tool, or would rather not. */
function inputFor(name: string, random: Random, { secret }: Tenant, request: ModelRequest): JsonObject {
  const id = random.chance(0.08) ? (random.pick(BAD_IDS) ?? '') : (random.pick(IDS) ?? '')
  const text = `${secret} ${COMMON_WORDS} ${random.pick(IDS)}`
  const action = random.pick(['put', 'get', 'list', 'delete', 'put', 'list']) ?? 'put'
  const agent = random.pick(AGENT_NAMES) ?? 'writer'
  switch (name) {
    case 'note':
      return { action, collection: random.pick(COLLECTIONS) ?? 'notes', id, text, namespace: random.pick(IDS) ?? '' }
    case 'memory':
      return { action, id, text: action === 'list' ? COMMON_WORDS : text }
    case 'spawn_agent':
      return {
        task: text,
        ...(random.chance(0.3) ? { tools: [random.pick(['note', 'pay', '__proto__']) ?? 'note'] } : {}),
      }
    case 'delegate_to_agent':
      return { agent, message: text }
    case 'ask_agent':
      return { agent, message: text, ...(random.chance(0.3) ? { model: 'model-b' } : {}) }
    case 'read_result': {
      const shown = random.chance(0.5) ? random.pick(resultsIn(request)) : undefined
      const offset = random.chance(0.5) ? {} : { offset: Math.floor(random.between(0, 300)) }
      return { result: shown ?? Math.ceil(random.between(0, 30)), ...offset }
    }
    case 'open_file':
      return { working_directory: `/home/${random.pick(IDS)}`, path: '../../secret' }
    default:
      return random.chance(0.05)
        ? { __proto__: text, constructor: text }
        : { text, namespace: id, tenant: id, callId: id }
  }
}

/** The numbers of results that a conversation says can be read. */
function resultsIn({ messages }: ModelRequest): readonly number[] {
  return Array.from(JSON.stringify(messages).matchAll(/\{\\"result\\":(\d+)/g), ([, result]) => Number(result))
}
