import { setTimeout as pause } from 'node:timers/promises'
import {
  type Action,
  mentionedAgent,
  type Namespace,
  type RunOptions,
  type SubmitOptions,
  type UserInput,
} from '@orra/core'
import { AGENT_NAMES } from './isolation-model.ts'
import { MODELS, type Tenant } from './isolation-tenant.ts'
import { BAD_IDS, COMMON_WORDS, IDS } from './isolation-words.ts'
import { knownOf, type World } from './isolation-world.ts'
import type { Random } from './storm-random.ts'

/** What one call has: the world, whose it is, and dice of its own. */
export interface Call {
  readonly world: World
  readonly tenant: Tenant
  readonly random: Random
}

/** Makes a call and resolves to all that it was handed. */
export type Make = (call: Call) => Promise<unknown>

/** How long something is watched, in milliseconds. */
const WATCH_MS = 4

/** Messages, and what is asked about a tenant as a whole. */
export const RUN_CALLS: { readonly [kind: string]: Make } = {
  run: (call) => {
    const place = placeFor(call)
    return withPatience(call, place, (signal) =>
      call.world.orra.run(place, inputFor(call), { ...runOptions(call), ...signal }),
    )
  },
  stream: (call) => {
    const place = placeFor(call)
    const most = call.tenant.isSteady || call.random.chance(0.8) ? Number.POSITIVE_INFINITY : call.random.between(1, 8)
    return withPatience(call, place, (signal) =>
      collect(call.world.orra.stream(place, inputFor(call), { ...runOptions(call), ...signal }), most),
    )
  },
  submit: (call) => call.world.orra.submit(placeFor(call), inputFor(call), submitOptions(call)),
  resume: async (call) => {
    const events: unknown[] = []
    const place = placeFor(call)
    const onEvent = (event: unknown) => void events.push(event)
    const result = await withPatience(call, place, (signal) => call.world.orra.resume(place, { ...signal, onEvent }))
    return [result, events]
  },
  recover: async (call) => {
    const told: unknown[] = []
    const within = call.random.chance(0.5) ? call.tenant.root : placeFor(call)
    const onError = (error: unknown, namespace?: Namespace) => void told.push(error, namespace)
    const signal = AbortSignal.timeout(call.world.patienceMs * 10)
    await call.world.orra.recover({ within, untilIdle: true, pollMs: 5, signal, onError })
    return told
  },
  explain: async (call) => {
    const { world, tenant, random } = call
    const action: Action = random.pick([
      { type: 'tool', name: random.pick(['danger', 'note', 'wipe', ...IDS]) ?? '' },
      { type: 'model', name: random.pick([...MODELS, ...IDS]) ?? '' },
      { type: 'agent', name: random.pick(AGENT_NAMES) ?? '', depth: Math.ceil(random.next() * 5) },
    ]) as Action
    const explanation = await world.orra.explain(placeFor(call), action)
    const { type, name } = action
    const isDenied = type === 'model' ? name === tenant.deniedModel : tenant.deniedTools.has(name)
    if (type !== 'agent' && explanation.allowed === isDenied) {
      world.lookout.find(
        'done',
        'explain',
        `of the ${type} ${name} tenant ${tenant.index} is told what holds for another`,
      )
    }
    return explanation
  },
  usage: (call) => {
    const days = { from: new Date(Date.now() - 3e9), to: new Date() }
    return call.world.orra.usage(placeFor(call), call.random.pick(['day', 'month', days]) ?? 'day')
  },
  mentionedAgent: async ({ random, tenant }) => {
    const text = `${tenant.secret} @${random.pick(AGENT_NAMES)} @${random.pick(IDS)}`
    return mentionedAgent(text, AGENT_NAMES)
  },
  watch: async (call) => {
    const { world, tenant, random } = call
    const place = placeFor(call)
    const { signal } = withTimer(WATCH_MS)
    const after = random.chance(0.5) ? { after: Math.floor(random.between(0, 20)) } : {}
    const watching = collect(world.orra.session(place).watch({ signal, ...after }), 60)
    const said =
      random.chance(0.6) && (await isFree(world, place)) ? world.orra.submit(place, inputFor(call)) : undefined
    const worked = said?.then(() =>
      world.orra.recover({ within: tenant.root, untilIdle: true, pollMs: 5, signal: AbortSignal.timeout(500) }),
    )
    const [seen, did] = await Promise.allSettled([watching, worked])
    if (did.status === 'rejected') throw did.reason
    if (seen.status === 'rejected') throw seen.reason
    return seen.value
  },
}

/** A namespace of the tenant's own. */
export function placeFor({ world, tenant, random }: Call): Namespace {
  const places = [...tenant.places, ...knownOf(world, tenant).further]
  return random.pick(places) ?? tenant.root
}

export function hostileId({ random }: Pick<Call, 'random'>): string {
  return (random.chance(0.05) ? random.pick(BAD_IDS) : random.pick(IDS)) ?? ''
}

/** Something that holds the tenant's secret, and much that does not. */
export function textFor({ tenant, random }: Pick<Call, 'tenant' | 'random'>): string {
  return `${tenant.secret} ${COMMON_WORDS} @${random.pick(AGENT_NAMES)} ${random.pick(IDS)} ${Math.floor(random.next() * 1e9)}`
}

/** All that comes, until enough has. */
export async function collect<T>(items: AsyncIterable<T>, most = Number.POSITIVE_INFINITY): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) {
    all.push(item)
    if (all.length >= most) break
  }
  return all
}

/** Whoever asks in a session that waits for an approval would wait with it. Steady ones never do, so they are never cut off. */
export async function withPatience<T>(
  { world, tenant, random }: Call,
  place: Namespace,
  work: (options: { readonly signal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  if (tenant.isSteady) return work({})
  const free = await isFree(world, place)
  const early = random.chance(0.04) ? random.between(0, 3) : world.patienceMs
  const timer = withTimer(free ? early : 3)
  try {
    return await work({ signal: timer.signal })
  } finally {
    timer.stop()
  }
}

async function isFree({ orra }: World, place: Namespace): Promise<boolean> {
  return !(await orra.session(place).head())?.openRun?.suspended
}

function withTimer(ms: number): { readonly signal: AbortSignal; readonly stop: () => void } {
  const [over, stopped] = [new AbortController(), new AbortController()]
  pause(ms, undefined, { signal: stopped.signal }).then(
    () => over.abort(),
    () => {},
  )
  return { signal: over.signal, stop: () => stopped.abort() }
}

function inputFor(call: Call): UserInput {
  const text = textFor(call)
  knownOf(call.world, call.tenant).sent += 1
  if (call.random.chance(0.8)) return text
  const url = `https://example.com/${encodeURIComponent(hostileId(call).toWellFormed())}`
  return [
    { type: 'text', text },
    { type: 'file', mediaType: 'application/pdf', url, name: text },
  ]
}

function runOptions(call: Call): RunOptions {
  const { random, tenant } = call
  const whenBusy = random.pick(['queue', 'queue', 'reject', 'steer', tenant.isSteady ? 'queue' : 'interrupt'] as const)
  return { ...submitOptions(call), ...(random.chance(0.3) && whenBusy ? { whenBusy } : {}) }
}

function submitOptions(call: Call): SubmitOptions {
  const { random } = call
  return {
    ...(random.chance(0.2) ? { key: hostileId(call) } : {}),
    ...(random.chance(0.2) ? { model: random.pick(MODELS) ?? 'model-a' } : {}),
    ...(random.chance(0.1) ? { tools: ['note', random.pick(['danger', 'wipe', '__proto__', 'say']) ?? 'say'] } : {}),
    ...(random.chance(0.2) ? { agent: random.pick(AGENT_NAMES) ?? 'writer' } : {}),
    ...(random.chance(0.1) ? { maxTurns: Math.ceil(random.next() * 3) } : {}),
  }
}
