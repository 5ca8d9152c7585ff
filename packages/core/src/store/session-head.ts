import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { OrraError } from '../errors.ts'
import type { JsonValue } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Entry, InputEntry, LoggedEntry } from './entry.ts'
import { freeze } from './freeze.ts'
import { atWork, awake, type OpenRunHead, withApproval, withoutApprovals } from './open-run.ts'

/** What can be known of a session without reading its log. Its size does not grow with the log's. */
export interface SessionHead {
  /** The key of the namespace. */
  readonly namespace: string
  /** This session's own: one that is deleted and made anew has another. */
  readonly id: string
  /** The `seq` of the last entry. */
  readonly length: number
  /** Of the newest claim; 0 before the first. */
  readonly epoch: number
  /** The keys of accepted inputs that wait for their turn, oldest first. */
  readonly inbox: readonly string[]
  /** The run that has begun and not ended, if any: it is being worked on, or its process died. */
  readonly openRun?: OpenRunHead
  /** The last compaction, if any: where it stands, and through where its summary goes. */
  readonly compaction?: { readonly seq: number; readonly through: number }
  readonly metadata: { readonly [name: string]: JsonValue }
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What an append will do, decided before anything is written. */
export interface AppendPlan {
  readonly head: SessionHead
  /** The entries to write, which may be more than were given. When there are none, nothing is to be written, and no session made. */
  readonly logged: readonly LoggedEntry[]
  /** For each entry given, its place; that of the first for an input whose key is there already, 0 for one left out. */
  readonly seqs: readonly number[]
}

const FREE: ReadonlySet<Entry['type']> = new Set([
  'input',
  'input-withdrawn',
  'approval-decided',
  'call-woken',
  'compaction',
  'message-pinned',
  'message-unpinned',
  'metadata',
])

/** Whether anyone may append it, without a lease. */
export function isFree({ type }: Entry): boolean {
  return FREE.has(type)
}

/**
 * The rules of an append, the same for every store: fences, keys, places and the new head. A store calls it inside
 * whatever makes its append atomic, with the head as it stands there, and writes what it returns. Throws `store.fenced`,
 * `store.input-gone`, `store.conflict` and `session.busy`.
 */
export function planAppend(
  namespace: Namespace,
  current: SessionHead | undefined,
  entries: readonly Entry[],
  options: {
    readonly epoch?: number | undefined
    readonly ifIdle?: boolean | undefined
    readonly ifKnown?: boolean | undefined
    readonly expect?: SessionHead['metadata'] | undefined
    /** The store's clock. */
    readonly now: number
    /** The `seq` of the input with this key, when the session has it. */
    readonly seqOfKey: (key: string) => number | undefined
  },
): AppendPlan {
  const base = current ?? emptyHead(namespace, options.now)
  // Before the first claim there is no epoch that could prove anything.
  const isWriter = base.epoch > 0 && options.epoch === base.epoch
  if (!isWriter && !entries.every(isFree)) throw fenced(namespace)
  const isKnown = (entry: Entry) => entry.type === 'input' && options.seqOfKey(entry.key) !== undefined
  if (options.ifKnown && !entries.every(isKnown)) throw unknownInput(namespace)
  if (options.ifIdle && isBusy(base) && !entries.every(isKnown)) throw busy(namespace)
  if (!meets(base.metadata, options.expect)) throw conflict(namespace)

  const logged: LoggedEntry[] = []
  const accepted = new Map<string, number>()
  let head = base
  const write = (entry: Entry): number => {
    const seq = head.length + 1
    logged.push({ seq, at: options.now, entry })
    head = nextHead(head, entry, options.now)
    return seq
  }
  const place = (entry: Entry): number => {
    if (entry.type !== 'input') return isNeeded(head, entry, isWriter ? undefined : options.now) ? write(entry) : 0
    const known = accepted.get(entry.key) ?? options.seqOfKey(entry.key)
    if (known !== undefined) return known
    if (entry.whenBusy === 'interrupt') for (const input of openInputs(head)) write({ type: 'input-withdrawn', input })
    const seq = write(entry)
    accepted.set(entry.key, seq)
    return seq
  }
  const seqs = entries.map(place)
  return { head, logged, seqs }
}

/** Whether there is something to do in a session: an input waits or a run is open, and that is not suspended. */
export function isPending(head: SessionHead): boolean {
  return isBusy(head) && !head.openRun?.suspended
}

/** Whether an input waits or a run is open, whatever that waits for. */
export function isBusy({ inbox, openRun }: SessionHead): boolean {
  return inbox.length > 0 || openRun !== undefined
}

/** Whether an entry still says something; others are left out. `now` is absent for who has the lease and looked at the time. */
function isNeeded(head: SessionHead, entry: Exclude<Entry, InputEntry>, now?: number): boolean {
  const { openRun } = head
  switch (entry.type) {
    case 'input-withdrawn':
      return openInputs(head).includes(entry.input)
    case 'approval-decided': {
      const waiting = openRun?.approvals?.find(({ callId }) => callId === entry.callId)
      if (!waiting || now === undefined) return waiting !== undefined
      return waiting.seq === entry.asked && (now < waiting.expiresAt || !entry.approved)
    }
    case 'call-woken':
      return openRun?.runId === entry.runId
    case 'compaction':
      return isOf(head, entry, now) && entry.after === (head.compaction?.through ?? 0) && entry.through > entry.after
    case 'message-pinned':
    case 'message-unpinned':
      return isOf(head, entry, now)
    case 'run-suspended':
      return openRun?.runId === entry.runId && (openRun.wokenAt ?? 0) <= entry.seen
    default:
      return true
  }
}

/** A session that was deleted and made anew is another; whoever has the lease knows which it writes. */
function isOf(head: SessionHead, { session }: { readonly session: string }, now: number | undefined): boolean {
  return now === undefined || session === head.id
}

/** The head of a session that is about to get its first entry or its first claim. */
export function emptyHead(namespace: Namespace, now: number): SessionHead {
  const { key } = namespace
  return {
    namespace: key,
    id: randomUUID(),
    length: 0,
    epoch: 0,
    inbox: [],
    metadata: {},
    createdAt: now,
    updatedAt: now,
  }
}

/** The keys of all inputs that are being answered or wait. */
function openInputs({ inbox, openRun }: SessionHead): readonly string[] {
  return openRun ? [openRun.input, ...inbox] : inbox
}

function nextHead(head: SessionHead, entry: Entry, now: number): SessionHead {
  const seq = head.length + 1
  const next = { ...head, length: seq, updatedAt: now }
  switch (entry.type) {
    case 'input':
      return { ...next, inbox: [...head.inbox, entry.key] }
    case 'input-withdrawn': {
      const woken = head.openRun?.input === entry.input ? during(next, (run) => awake(run, seq)) : next
      return { ...woken, inbox: head.inbox.filter((key) => key !== entry.input) }
    }
    case 'message': {
      const { message, input } = entry
      const answered = message.role === 'tool' ? message.content.map(({ callId }) => callId) : []
      const onward = during(next, (run) => withoutApprovals(atWork(run), answered))
      return input === undefined ? onward : { ...onward, inbox: taken(head, input) }
    }
    case 'approval-requested':
      return during(next, (run) => withApproval(atWork(run), entry.request, seq))
    case 'approval-decided':
      return during(next, (run) => awake(withoutApprovals(run, [entry.callId]), seq))
    case 'call-woken':
      return during(next, (run) => awake(run, seq))
    case 'run-suspended':
      return during(next, (run) => ({ ...run, suspended: true }))
    case 'compaction':
      return { ...next, compaction: { seq, through: entry.through } }
    case 'message-pinned':
    case 'message-unpinned':
      return next
    case 'metadata':
      return { ...next, metadata: mergeMetadata(head.metadata, entry.set) }
    case 'run-started':
      return { ...next, openRun: { runId: entry.runId, input: entry.input, seq } }
    case 'run-ended': {
      const { openRun: _, ...idle } = next
      return idle
    }
    case 'tool-started':
      return during(next, atWork)
  }
}

/** With what has become of the open run, if there is one. */
function during(head: SessionHead, change: (run: OpenRunHead) => OpenRunHead): SessionHead {
  const { openRun } = head
  const changed = openRun && change(openRun)
  return changed === openRun ? head : { ...head, openRun: changed as OpenRunHead }
}

function taken(head: SessionHead, input: string): readonly string[] {
  if (head.inbox.includes(input)) return head.inbox.filter((key) => key !== input)
  const message = 'This input no longer waits in the inbox: it was taken or withdrawn. Nothing was appended.'
  throw new OrraError('store.input-gone', message, { details: { namespace: head.namespace } })
}

/** Metadata with what a `metadata` entry sets; `null` removes. */
export function mergeMetadata(
  metadata: SessionHead['metadata'],
  set: SessionHead['metadata'],
): SessionHead['metadata'] {
  // Handed to tools and hooks, which must not be able to change what others go by.
  return freeze(Object.fromEntries(Object.entries({ ...metadata, ...set }).filter(([, value]) => value !== null)))
}

function meets(metadata: SessionHead['metadata'], expect: SessionHead['metadata'] = {}): boolean {
  return Object.entries(expect).every(([name, value]) =>
    isDeepStrictEqual(Object.hasOwn(metadata, name) ? metadata[name] : null, value),
  )
}

function conflict(namespace: Namespace): OrraError<'store.conflict'> {
  const message =
    'The metadata of this session has changed since; nothing was appended. Read it again, then decide anew.'
  return new OrraError('store.conflict', message, { details: { namespace: namespace.key } })
}

function unknownInput(namespace: Namespace): OrraError<'store.conflict'> {
  const message = 'This input was not accepted before, and may not be now; nothing was appended.'
  return new OrraError('store.conflict', message, { details: { namespace: namespace.key } })
}

function busy(namespace: Namespace): OrraError<'session.busy'> {
  const message = 'This session is busy: a run is open or messages wait. Nothing was accepted; send it again later.'
  return new OrraError('session.busy', message, { details: { namespace: namespace.key } })
}

function fenced(namespace: Namespace): OrraError<'store.fenced'> {
  const message =
    'Somebody else has claimed this session since, or it was deleted; nothing was appended. Claim it again.'
  return new OrraError('store.fenced', message, { details: { namespace: namespace.key } })
}
