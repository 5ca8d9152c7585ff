import { setTimeout as pause } from 'node:timers/promises'
import { isOrraError, type Store, type Tool } from '@orra/core'
import { APPROVAL_CALLS } from './isolation-approval-calls.ts'
import { type Make, RUN_CALLS } from './isolation-calls.ts'
import { checkApart, checkRefused, checkSpent, differences, settle, snapshot } from './isolation-check.ts'
import { CONTEXT_CALLS } from './isolation-context-calls.ts'
import { DATA_CALLS, UNSTEADY } from './isolation-data-calls.ts'
import { type Finding, textOf } from './isolation-lookout.ts'
import { Mischief } from './isolation-model.ts'
import type { Tenant } from './isolation-tenant.ts'
import { makeWorld, type World } from './isolation-world.ts'
import { type Random, seededRandom } from './storm-random.ts'

const CALLS: { readonly [kind: string]: Make } = { ...RUN_CALLS, ...CONTEXT_CALLS, ...APPROVAL_CALLS, ...DATA_CALLS }

/** How often a kind is made, where it is not once. */
const WEIGHTS: { readonly [kind: string]: number } = {
  ...{ run: 14, stream: 8, submit: 5, resume: 2, recover: 3, watch: 2, export: 3 },
  ...{ decide: 4, 'session.import': 2, 'session.import of others': 4, 'session.import of forged': 3 },
  ...{ 'session.setMetadata': 2, 'projects.create': 2, 'session.pin': 3, preview: 3, compact: 2 },
}

const KINDS: readonly string[] = Object.keys(CALLS).flatMap((kind) => Array(WEIGHTS[kind] ?? 1).fill(kind))

/** Calls between two looks at those who rest, and how many of them are under way at once. */
const BATCH = 160
const LANES = 16
/** The share of tenants who do nothing in a batch. */
const RESTING = 0.25
/** How many times as long as somebody's patience a call may take. */
const MOST_PATIENCE = 100

export interface RoundOptions {
  readonly store: Store
  readonly calls: number
  readonly seed: number
  /** How long somebody waits for an answer who may leave, in milliseconds. */
  readonly patienceMs: number
  /** Further tools, of which the model makes use, too. */
  readonly tools?: readonly Tool[]
  /** Whether it ends with the batch in which anything is found. @default false */
  readonly untilFound?: boolean
}

export interface Round {
  /** How many of each kind were made. */
  readonly made: ReadonlyMap<string, number>
  /** How many failed, by code. */
  readonly failed: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
}

/** Some thousand calls on one store, looks at who rests meanwhile, and at the end at everything. */
export async function playRound(options: RoundOptions): Promise<Round> {
  const { calls, seed, untilFound = false } = options
  const isOver = () => untilFound && world.lookout.findings.length > 0
  const world = makeWorld(options)
  const made = new Map<string, number>()
  const failed = new Map<string, number>()
  const random = seededRandom(seed, 'calls')
  const startedAt = new Date()
  try {
    for (let count = 0; count < calls && !isOver(); count += BATCH) {
      const resting = world.tenants.filter(() => random.chance(RESTING))
      const acting = world.tenants.filter((tenant) => !resting.includes(tenant))
      const before = await snapshots(world, resting)
      const batch = Array.from({ length: Math.min(BATCH, calls - count) }, (_, place) =>
        makeCall(world, acting, seededRandom(seed, `call ${count + place}`), made, failed),
      )
      await inLanes(batch)
      const after = await snapshots(world, resting)
      for (const [place, tenant] of resting.entries()) compare(world, tenant, before[place] ?? [], after[place] ?? [])
    }
    if (!isOver()) await settle(world)
    if (!isOver()) await checkSpent(world, startedAt)
    if (!isOver()) await checkApart(world)
  } catch (error) {
    world.lookout.find('broke', 'a look at everything', textOf(error))
  } finally {
    await world.orra.close()
  }
  return { made, failed, findings: world.lookout.findings }
}

function makeCall(
  world: World,
  acting: readonly Tenant[],
  random: Random,
  made: Map<string, number>,
  failed: Map<string, number>,
): () => Promise<void> {
  const tenant = random.pick(acting) ?? (world.tenants[0] as Tenant)
  let kind = random.pick(KINDS) ?? 'run'
  if (tenant.isSteady && UNSTEADY.has(kind)) kind = 'run'
  const make = CALLS[kind] as Make
  const { lookout } = world
  return async () => {
    made.set(kind, (made.get(kind) ?? 0) + 1)
    try {
      const work = lookout.as(tenant, kind, async () => make({ world, tenant, random }))
      const came = await inTime(work, world.patienceMs * MOST_PATIENCE)
      lookout.see(tenant, kind, came)
      checkRefused(world, tenant, came)
    } catch (error) {
      lookout.see(tenant, `an error of ${kind}`, error)
      checkRefused(world, tenant, error)
      const code = isOrraError(error) ? error.code : 'no OrraError'
      failed.set(code, (failed.get(code) ?? 0) + 1)
      if (isExpected(error)) return
      lookout.find('broke', kind, error instanceof Error ? `${error.stack} ${error.cause ?? ''}` : String(error))
    }
  }
}

/** Orra's own, and what the model has thrown on purpose. */
function isExpected(error: unknown): boolean {
  if (isOrraError(error, 'unknown')) return error.cause instanceof Mischief
  return isOrraError(error)
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const over = new AbortController()
  const late = pause(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`It was not done after ${ms} ms.`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

async function inLanes(calls: readonly (() => Promise<void>)[]): Promise<void> {
  const left = calls.values()
  const lane = async () => {
    for (const call of left) await call()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

async function snapshots(world: World, tenants: readonly Tenant[]): Promise<readonly (readonly string[])[]> {
  const all: (readonly string[])[] = []
  for (const tenant of tenants) all.push(await snapshot(world, tenant))
  return all
}

function compare(world: World, tenant: Tenant, before: readonly string[], after: readonly string[]): void {
  for (const text of differences(before, after)) {
    world.lookout.find('changed', 'what rests', `tenant ${tenant.index} has done nothing: ${text}`)
  }
}
