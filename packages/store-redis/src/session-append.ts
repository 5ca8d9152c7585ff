import {
  type AppendOptions,
  type AppendPlan,
  type AppendResult,
  type Entry,
  isPending,
  type Namespace,
  planAppend,
} from '@orra/core'
import type { NamespaceIndex } from './namespace-index.ts'
import type { RedisAccess } from './redis-access.ts'
import { APPEND } from './session-scripts.ts'
import { headOf, restOf, type SessionState } from './session-state.ts'
import type { SessionStates } from './session-states.ts'
import { type SpareMark, spareMark } from './spare-mark.ts'

export interface SessionParts {
  readonly access: RedisAccess
  readonly states: SessionStates
  /** Of all sessions. */
  readonly listed: NamespaceIndex
  /** Of those with work. */
  readonly pending: NamespaceIndex
}

interface Append {
  readonly namespace: Namespace
  readonly entries: readonly Entry[]
  readonly options: AppendOptions
  readonly listed: SpareMark
  readonly pending: SpareMark
}

/** What an append is planned on. */
interface Basis {
  readonly state: SessionState | undefined
  readonly seqOfKey: ReadonlyMap<string, number | undefined>
  /** Read for this append; what is only remembered may have changed since. */
  readonly isFresh: boolean
}

/**
 * Plans on what is remembered of the session, or else on what is read, and writes if nothing has changed since; otherwise
 * reads and plans anew, until it is so. Each time that something has changed, an append of somebody else was done.
 */
export async function appendTo(
  parts: SessionParts,
  namespace: Namespace,
  entries: readonly Entry[],
  options: AppendOptions,
): Promise<AppendResult> {
  const { states } = parts
  const listed = spareMark(parts.listed, namespace.key)
  const pending = spareMark(parts.pending, namespace.key)
  const append = { namespace, entries, options, listed, pending }
  const state = states.remembered(namespace.key)
  try {
    const done = state && (await tryAppend(parts, append, { state, seqOfKey: new Map(), isFresh: false }))
    if (done) return done
    for (;;) {
      const done = await tryAppend(parts, append, await readBasis(states, append))
      if (done) return done
    }
  } finally {
    await Promise.all([listed.drop(), pending.drop()])
  }
}

async function readBasis(states: SessionStates, { namespace, entries }: Append): Promise<Basis> {
  const keys = [...new Set(entries.flatMap((entry) => (entry.type === 'input' ? [entry.key] : [])))]
  const { state, seqs } = await states.read(namespace.key, keys)
  return { state, seqOfKey: new Map(keys.map((key, index) => [key, seqs[index]])), isFresh: true }
}

/** `undefined` when it must be tried again on a fresh basis. */
async function tryAppend(parts: SessionParts, append: Append, basis: Basis): Promise<AppendResult | undefined> {
  const { access, states, pending } = parts
  const { key } = append.namespace
  const before = basis.state
  const plan = planOn(basis, append, access.localNow())
  if (!plan) return undefined
  if (plan.logged.length === 0) return basis.isFresh ? { head: plan.head, seqs: plan.seqs, written: 0 } : undefined

  const hasWork = isPending(plan.head)
  const isDone = !hasWork && before?.pending !== undefined
  const [newlyListed, newlyPending] = await Promise.all([
    before ? undefined : append.listed.take(),
    hasWork && !before?.pending ? append.pending.take() : undefined,
  ])
  const expected = [before?.id ?? '', before?.length ?? 0, before?.epoch ?? 0]
  const planned = [plan.head.id, plan.head.length, restOf(plan.head)]
  const marks = [newlyListed ?? '', isDone ? '-' : (newlyPending ?? '')]
  const args = [...expected, ...planned, ...marks, ...entriesOf(plan)]
  const written = await access.run<string | null>(APPEND, access.keys.session(key), args)
  if (written === null || written === 'unlisted') {
    if (newlyListed) append.listed.giveBack(newlyListed)
    if (newlyPending) append.pending.giveBack(newlyPending)
    // Marks that are too old would be refused again.
    if (written) await Promise.all([append.listed.drop(), append.pending.drop()])
    return undefined
  }
  const after = stateAfter(plan, Number(written), {
    createdAt: before?.createdAt ?? Number(written),
    listed: before?.listed ?? newlyListed ?? '',
    pending: hasWork ? (before?.pending ?? newlyPending) : undefined,
  })
  states.remember(key, after)
  if (isDone) await pending.remove(key, before.pending)
  return { head: headOf(key, after), seqs: plan.seqs, written: plan.logged.length }
}

function stateAfter(
  { head }: AppendPlan,
  updatedAt: number,
  kept: Pick<SessionState, 'createdAt' | 'listed' | 'pending'>,
): SessionState {
  const { id, length, epoch } = head
  return { id, length, epoch, rest: restOf(head), updatedAt, ...kept }
}

/** `undefined` when it cannot be said on this basis, because what is remembered may be old. */
function planOn({ state, seqOfKey, isFresh }: Basis, append: Append, now: number): AppendPlan | undefined {
  const { namespace, entries, options } = append
  const { epoch, ifIdle, ifKnown, expect } = options
  try {
    return planAppend(namespace, state && headOf(namespace.key, state), entries, {
      ...{ epoch, ifIdle, ifKnown, expect, now },
      seqOfKey: (key) => seqOfKey.get(key),
    })
  } catch (error) {
    if (isFresh) throw error
    return undefined
  }
}

/** How many entries, the entries, and the key and place of each input. */
function entriesOf({ logged }: AppendPlan): readonly (string | number)[] {
  const inputs = logged.flatMap(({ seq, entry }) => (entry.type === 'input' ? [entry.key, seq] : []))
  return [logged.length, ...logged.map(({ entry }) => JSON.stringify(entry)), ...inputs]
}
