import { randomUUID } from 'node:crypto'
import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Entry } from '../store/entry.ts'
import { emptyHead, planAppend } from '../store/session-head.ts'
import type { SessionLog } from '../store/session-log.ts'
import { renumbered } from './renumber.ts'

const LEASE_MS = 60_000

/** Makes a session of a whole log, or none. Throws `session.exists` and `session.busy`. */
export async function writeLog(sessions: SessionLog, namespace: Namespace, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
  checkPlaces(namespace, entries)
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

/** The places that entries speak of are those they had: so each must be written, and nothing besides. */
function checkPlaces(namespace: Namespace, entries: readonly Entry[]): void {
  const head = { ...emptyHead(namespace, 0), epoch: 1 }
  const { seqs } = planAppend(namespace, head, entries, { epoch: 1, now: 0, seqOfKey: () => undefined })
  const wrong = seqs.findIndex((seq, index) => seq !== index + 1)
  if (wrong < 0) return
  const problem = 'it would not be written, or others with it'
  const message = `This log cannot be written: its entry ${wrong + 1} says what nobody would have been let say.`
  throw new OrraError('import.invalid', message, { details: { line: wrong + 2, problem } })
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
 * what was approved in a run that is still open is asked for again. What is still to be answered is answered as text: a schema
 * holds patterns, which a process would be made to run.
 */
export function importablePart(entries: readonly Entry[]): readonly Entry[] {
  const last = entries.findLastIndex(({ type }) => type === 'run-started' || type === 'run-ended')
  const open = entries[last]?.type === 'run-started' ? last : entries.length
  return renumbered(entries, ({ type }, index) => index < open || !OF_AN_OPEN_RUN.has(type))
    .map(withoutCaller)
    .map(withoutInterrupt)
    .map(asking)
    .map(withoutSchema(entries.slice(0, open)))
}

/** Another session has to be told anew that it approves by itself. */
function asking(entry: Entry): Entry {
  if (entry.type !== 'metadata' || !Object.hasOwn(entry.set, 'autoApprove')) return entry
  const { autoApprove: _, ...set } = entry.set
  return { ...entry, set }
}

function withoutSchema(settled: readonly Entry[]): (entry: Entry) => Entry {
  const answered = new Set(settled.flatMap((entry) => (entry.type === 'message' ? (entry.input ?? []) : [])))
  return (entry) => {
    if (entry.type !== 'input' || !entry.settings?.output || answered.has(entry.key)) return entry
    const { output: _, ...settings } = entry.settings
    return { ...entry, settings }
  }
}

function withoutCaller(entry: Entry): Entry {
  if (entry.type !== 'input') return entry
  const { spawnedBy: _, ...input } = entry
  return input
}

/** What it interrupted is withdrawn in the log already. */
function withoutInterrupt(entry: Entry): Entry {
  if (entry.type !== 'input' || entry.whenBusy !== 'interrupt') return entry
  const { whenBusy: _, ...input } = entry
  return input
}

/**
 * A log as far as it is settled: up to the end of the last run, with what was summed up and pinned of that since, and
 * without inputs that no run of it takes, so that nothing in it would be done again.
 */
export function settledPart(entries: readonly Entry[]): readonly Entry[] {
  const end = entries.findLastIndex(({ type }) => type === 'run-ended') + 1
  const settled = new Set(
    entries.slice(0, end).flatMap((entry) => {
      if (entry.type === 'message') return entry.input ?? []
      return entry.type === 'input-withdrawn' ? entry.input : []
    }),
  )
  const isKept = (entry: Entry, index: number) =>
    index < end ? entry.type !== 'input' || settled.has(entry.key) : isAbout(entry, end)
  return renumbered(entries, isKept).map(withoutInterrupt).map(asking)
}

/** Whether an entry says of the part of a log that ends there what is to be sent of it. */
function isAbout(entry: Entry, end: number): boolean {
  if (entry.type === 'compaction') return true
  return (entry.type === 'message-pinned' || entry.type === 'message-unpinned') && entry.seq <= end
}
