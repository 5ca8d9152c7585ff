import type { Entry, LoggedEntry } from './entry.ts'
import { OrraError } from './errors.ts'
import type { JsonValue } from './json.ts'
import type { Namespace } from './namespace.ts'

/** What can be known of a session without reading its log. Its size does not grow with the log's. */
export interface SessionHead {
  /** The key of the namespace. */
  readonly namespace: string
  /** The `seq` of the last entry. */
  readonly length: number
  /** Of the newest claim; 0 before the first. */
  readonly epoch: number
  /** The `seq`s of accepted inputs that wait for their turn, oldest first. */
  readonly inbox: readonly number[]
  /** The run that has begun and not ended, if any: it is being worked on, or its process died. */
  readonly openRun?: string
  readonly metadata: { readonly [name: string]: JsonValue }
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What an append will do, decided before anything is written. */
export interface AppendPlan {
  readonly head: SessionHead
  /** The entries to write; keyed inputs that are already there are left out. */
  readonly logged: readonly LoggedEntry[]
  readonly seqs: readonly number[]
}

/** Entries that anyone may append, without a lease. */
const FREE: ReadonlySet<Entry['type']> = new Set(['input', 'input-withdrawn', 'metadata'])

/**
 * The rules of an append, the same for every store: fences, keys, places and the new head. A store calls it inside
 * whatever makes its append atomic, with the head as it stands there, and writes what it returns.
 */
export function planAppend(
  namespace: Namespace,
  current: SessionHead | undefined,
  entries: readonly Entry[],
  options: {
    readonly epoch?: number | undefined
    /** The store's clock. */
    readonly now: number
    /** The `seq` of the input with this key, when the session has it. */
    readonly seqOfKey: (key: string) => number | undefined
  },
): AppendPlan {
  const base = current ?? emptyHead(namespace, options.now)
  if (options.epoch !== base.epoch && entries.some((entry) => !FREE.has(entry.type))) throw fenced(namespace)

  const logged: LoggedEntry[] = []
  const seqs: number[] = []
  const keys = new Map<string, number>()
  let head = base
  for (const entry of entries) {
    const key = entry.type === 'input' ? entry.key : undefined
    const known = key === undefined ? undefined : (keys.get(key) ?? options.seqOfKey(key))
    if (known !== undefined) {
      seqs.push(known)
      continue
    }
    const place = { seq: head.length + 1, at: options.now, entry }
    head = nextHead(head, place)
    logged.push(place)
    seqs.push(place.seq)
    if (key !== undefined) keys.set(key, place.seq)
  }
  return { head, logged, seqs }
}

/** The head of a session that has been claimed or is about to get its first entry. */
export function emptyHead(namespace: Namespace, now: number): SessionHead {
  return { namespace: namespace.key, length: 0, epoch: 0, inbox: [], metadata: {}, createdAt: now, updatedAt: now }
}

function nextHead(head: SessionHead, { seq, at, entry }: LoggedEntry): SessionHead {
  const next = { ...head, length: seq, updatedAt: at }
  switch (entry.type) {
    case 'input':
      return { ...next, inbox: [...head.inbox, seq] }
    case 'input-withdrawn':
      return { ...next, inbox: head.inbox.filter((waiting) => waiting !== entry.input) }
    case 'message':
      return entry.input === undefined ? next : { ...next, inbox: taken(head, entry.input) }
    case 'metadata':
      return { ...next, metadata: merged(head.metadata, entry.set) }
    case 'run-started':
      return { ...next, openRun: entry.runId }
    case 'run-ended': {
      const { openRun: _, ...idle } = next
      return idle
    }
    case 'tool-started':
      return next
  }
}

function taken(head: SessionHead, input: number): readonly number[] {
  if (head.inbox.includes(input)) return head.inbox.filter((seq) => seq !== input)
  const message = 'This input no longer waits in the inbox: it was taken or withdrawn. Nothing was appended.'
  throw new OrraError('store.input-gone', message, { details: { namespace: head.namespace, input } })
}

function merged(metadata: SessionHead['metadata'], set: SessionHead['metadata']): SessionHead['metadata'] {
  return Object.fromEntries(Object.entries({ ...metadata, ...set }).filter(([, value]) => value !== null))
}

function fenced(namespace: Namespace): OrraError<'store.fenced'> {
  const message =
    'Somebody else has claimed this session since, or it was deleted; nothing was appended. Claim it again.'
  return new OrraError('store.fenced', message, { details: { namespace: namespace.key } })
}
