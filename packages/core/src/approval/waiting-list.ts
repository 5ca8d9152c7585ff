import { createHash } from 'node:crypto'
import type { JsonValue } from '../json.ts'
import { Namespace } from '../namespace.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'
import type { ApprovalDecidedEntry } from '../store/entry.ts'
import type { WaitingCall } from '../store/open-run.ts'
import type { StoreOptions } from '../store/page.ts'
import type { SessionHead } from '../store/session-head.ts'
import type { Store } from '../store/store.ts'
import { areWaiting, wakeCallers } from './callers.ts'

/**
 * Where calls that wait for a decision can be found without reading logs. The log is what counts: a request is noted
 * before it stands there, and what no longer waits is passed over and sooner or later removed.
 */
const COLLECTION = 'orra.approvals'

export async function noteRequest({ records }: Store, request: ApprovalRequest, signal: AbortSignal): Promise<void> {
  const namespace = Namespace.parse(request.namespace)
  await records.put(keyOf(namespace, request.callId), request as unknown as JsonValue, { signal })
}

/** One that cannot be removed now is removed later. */
export async function forgetRequest({ records }: Store, { namespace, callId }: ApprovalRequest): Promise<void> {
  await records.delete(keyOf(Namespace.parse(namespace), callId)).catch(() => {})
}

/** Nothing waits in a session that is no longer there, and whoever had asked it must ask anew. */
export async function forgetRequests(store: Store, namespace: Namespace, signal?: AbortSignal): Promise<void> {
  const { records } = store
  for (;;) {
    const { items } = await records.list({ collection: COLLECTION, namespace, signal })
    for (const { id, value } of items) {
      const { spawnedBy } = value as unknown as ApprovalRequest
      await records.delete({ collection: COLLECTION, namespace, id }, { signal })
      if (spawnedBy) await wakeCallers(store, spawnedBy.callers, { signal })
    }
    if (items.length === 0) return
  }
}

/** All that wait, of a subtree, and can still be decided. */
export async function* waitingRequests(
  store: Store,
  within: Namespace,
  { signal }: StoreOptions = {},
): AsyncGenerator<ApprovalRequest> {
  for await (const { request } of notedRequests(store, within, signal)) {
    if (request.expiresAt > Date.now() && (await waitingCall(store, request, signal))) yield request
  }
}

/**
 * Refuses what nobody has decided in time, so that its runs go on; takes back what a caller had asked a sub-agent that has
 * ended meanwhile; and removes what no longer waits. `within` is absent for all namespaces.
 */
export async function refuseExpired(
  store: Store,
  within: Namespace | undefined,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<void> {
  for await (const noted of notedRequests(store, within, signal)) {
    // One that cannot be refused now must not keep others from it; it is tried again.
    await lookAfter(store, noted, signal).catch(failed)
    signal.throwIfAborted()
  }
}

async function lookAfter(store: Store, { request, version }: NotedRequest, signal: AbortSignal): Promise<void> {
  const { spawnedBy } = request
  const isWanted = !spawnedBy || (await areWaiting(store, spawnedBy, { signal }))
  if (isWanted && request.expiresAt > Date.now()) return
  const namespace = Namespace.parse(request.namespace)
  const run = await openRunOf(store, request, signal)
  const waiting = run?.approvals?.find(({ callId }) => callId === request.callId)
  if (run && !isWanted)
    await store.sessions.append(namespace, [{ type: 'input-withdrawn', input: run.input }], { signal })
  else if (waiting) {
    await store.sessions.append(namespace, [expiry(waiting)], { signal })
    if (spawnedBy) await wakeCallers(store, spawnedBy.callers, { signal })
  } else await store.records.delete(keyOf(namespace, request.callId), { version, signal })
}

/** What an expired call's run, or anybody else, writes of it. */
export function expiry({ callId, seq }: Pick<WaitingCall, 'callId' | 'seq'>): ApprovalDecidedEntry {
  return { type: 'approval-decided', callId, asked: seq, approved: false, reason: 'Nobody decided in time.' }
}

async function waitingCall(
  store: Store,
  request: ApprovalRequest,
  signal: AbortSignal | undefined,
): Promise<WaitingCall | undefined> {
  // A sub-agent whose caller has ended does nothing more, even if it is approved.
  if (request.spawnedBy && !(await areWaiting(store, request.spawnedBy, { signal }))) return undefined
  const run = await openRunOf(store, request, signal)
  return run?.approvals?.find(({ callId }) => callId === request.callId)
}

/** The run, as long as it is open. */
async function openRunOf(
  { sessions }: Store,
  { namespace, runId }: { readonly namespace: string; readonly runId: string },
  signal: AbortSignal | undefined,
): Promise<SessionHead['openRun']> {
  const head = await sessions.head(Namespace.parse(namespace), { signal })
  return head?.openRun?.runId === runId ? head.openRun : undefined
}

interface NotedRequest {
  readonly request: ApprovalRequest
  /** Of its record. */
  readonly version: number
}

async function* notedRequests(
  { records }: Store,
  within: Namespace | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<NotedRequest> {
  for (let after: string | undefined; ; ) {
    const place = after === undefined ? {} : { after }
    const { items, next } = await records.list({ collection: COLLECTION, within, ...place, signal })
    for (const { value, version } of items) yield { request: value as unknown as ApprovalRequest, version }
    if (next === undefined) return
    after = next
  }
}

/** Call ids are whatever a model's provider makes, and ids of records are not. */
function keyOf(namespace: Namespace, callId: string) {
  return { collection: COLLECTION, namespace, id: createHash('sha256').update(callId).digest('hex') }
}
