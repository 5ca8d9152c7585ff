import { randomUUID } from 'node:crypto'
import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Entry } from '../store/entry.ts'
import type { SessionLog } from '../store/session-log.ts'

const LEASE_MS = 60_000

/** Makes a session of a whole log, or none. Throws `session.exists` and `session.busy`. */
export async function writeLog(sessions: SessionLog, namespace: Namespace, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
  const { length = 0 } = (await sessions.head(namespace)) ?? {}
  if (length > 0) throw exists(namespace)
  const lease = await sessions.claim(namespace, { owner: randomUUID(), ttlMs: LEASE_MS })
  if (!lease || lease.head.length > 0) {
    await lease?.release()
    throw exists(namespace)
  }
  try {
    await sessions.append(namespace, entries, { epoch: lease.epoch, ifIdle: true })
  } finally {
    await lease.release()
  }
}

function exists({ key }: Namespace): OrraError<'session.exists'> {
  const message =
    'There is a session of this namespace already, or one is being made; delete it first, or give another namespace.'
  return new OrraError('session.exists', message, { details: { namespace: key } })
}

const OF_AN_OPEN_RUN: ReadonlySet<Entry['type']> = new Set([
  'approval-requested',
  'approval-decided',
  'run-suspended',
  'call-woken',
])

/**
 * A log as it may be imported. Whoever wrote its lines can speak for no other session: no input in it is a sub-agent's, and
 * what was approved in a run that is still open is asked for again.
 */
export function importablePart(entries: readonly Entry[]): readonly Entry[] {
  const last = entries.findLastIndex(({ type }) => type === 'run-started' || type === 'run-ended')
  const open = entries[last]?.type === 'run-started' ? last : entries.length
  return entries
    .filter(({ type }, index) => index < open || !OF_AN_OPEN_RUN.has(type))
    .map(withoutCaller)
    .map(asking)
}

/** Another session has to be told anew that it approves by itself. */
function asking(entry: Entry): Entry {
  if (entry.type !== 'metadata' || !Object.hasOwn(entry.set, 'autoApprove')) return entry
  const { autoApprove: _, ...set } = entry.set
  return { ...entry, set }
}

function withoutCaller(entry: Entry): Entry {
  if (entry.type !== 'input') return entry
  const { spawnedBy: _, ...input } = entry
  return input
}

/**
 * A log as far as it is settled: up to the end of the last run, and without inputs that no run of it takes, so that
 * nothing in it would be done again.
 */
export function settledPart(entries: readonly Entry[]): readonly Entry[] {
  const kept = entries.slice(0, entries.findLastIndex(({ type }) => type === 'run-ended') + 1)
  const settled = new Set(
    kept.flatMap((entry) => {
      if (entry.type === 'message') return entry.input ?? []
      return entry.type === 'input-withdrawn' ? entry.input : []
    }),
  )
  return kept.filter((entry) => entry.type !== 'input' || settled.has(entry.key)).map(asking)
}
