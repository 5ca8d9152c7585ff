import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isPending, Namespace } from '@orra/core'
import { newPlace } from './crash-places.ts'
import { openPlace } from './crash-stores.ts'
import { type Checked, checkStorm } from './storm-check.ts'
import { type Clients, sendAll } from './storm-clients.ts'
import { type Fleet, openFleet } from './storm-fleet.ts'
import { seededRandom } from './storm-random.ts'

const OWNERS = 4
const CLIENTS = 50
const SESSIONS = Array.from({ length: 20 }, (_, number) => `storm:session-${number + 1}`)
const LEASE_TTL_MS = 500

/** How long a storm may take: a while, and more for each message. */
const LIMIT_MS = { base: 60_000, message: 60 }

export interface StormOptions {
  readonly messages: number
  readonly seed: number
  /** Ends it early, leaving nothing behind. */
  readonly signal: AbortSignal
}

export interface Storm extends Checked, Omit<Clients, 'sent'>, Pick<Fleet, 'kills' | 'freezes' | 'noticed'> {
  readonly sessions: number
  /** From the first message to the last answer. */
  readonly lastedMs: number
  /** What is wrong though no log shows it. */
  readonly complaints: readonly string[]
}

/** Lets it storm on a store of its own: clients send, owners answer, die and are replaced; then looks what is left. */
export async function runStorm(name: string, options: StormOptions): Promise<Storm> {
  const { messages, seed } = options
  await using stack = new AsyncDisposableStack()
  const { place, dispose } = await newPlace(name)
  stack.defer(async () => dispose())
  const folder = await mkdtemp(join(tmpdir(), 'orra-storm-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const effects = join(folder, 'effects')
  await writeFile(effects, '')
  const store = stack.use(await openPlace(place))
  const task = { place, effects, leaseTtlMs: LEASE_TTL_MS }
  const fleet = stack.use(openFleet(OWNERS, task, seededRandom(seed, 'fleet')))
  const complaints: string[] = []

  const startedAt = performance.now()
  const limit = AbortSignal.timeout(LIMIT_MS.base + messages * LIMIT_MS.message)
  const signal = AbortSignal.any([options.signal, limit, fleet.crashed])
  const calm = new AbortController()
  const chaos = wreakHavoc(fleet, seed, calm.signal)
  const random = seededRandom(seed, 'clients')
  const { sent, retries } = await sendAll({ clients: CLIENTS, messages, sessions: SESSIONS, fleet, random, signal })
  calm.abort()
  await chaos
  while (!signal.aborted && (await isBusy(store.sessions))) await pause(20)
  const lastedMs = performance.now() - startedAt
  if (fleet.crashed.aborted) complaints.push('a process ended by itself; what it printed says why')
  if (limit.aborted) complaints.push(`it was not over after ${Math.round(lastedMs / 1000)} s`)

  const stubborn = await fleet.end()
  if (stubborn > 0) complaints.push(`${stubborn} owners did not end when they were told to`)
  const { items } = await store.sessions.list({ pending: true })
  for (const { namespace } of items) complaints.push(`${namespace} is still pending`)
  const { kills, freezes, noticed } = fleet
  const checked = await checkStorm(store, sent, effects)
  return { ...checked, sessions: SESSIONS.length, retries, kills, freezes, noticed, lastedMs, complaints }
}

/** Kills owners, and now and then makes one stand still for longer than its leases last. */
async function wreakHavoc(fleet: Fleet, seed: number, calm: AbortSignal): Promise<void> {
  const random = seededRandom(seed, 'havoc')
  while (!calm.aborted) {
    await pause(random.between(50, 450), undefined, { signal: calm }).catch(() => {})
    if (calm.aborted) return
    if (random.chance(0.4)) fleet.freeze(random.between(1.2, 2.5) * LEASE_TTL_MS)
    else fleet.kill()
  }
}

async function isBusy(sessions: Awaited<ReturnType<typeof openPlace>>['sessions']): Promise<boolean> {
  const heads = await Promise.all(SESSIONS.map((session) => sessions.head(Namespace.parse(session))))
  return heads.some((head) => head !== undefined && isPending(head))
}
