import { createHash } from 'node:crypto'
import type { JsonValue } from '../json.ts'
import { Namespace } from '../namespace.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'
import type { ApprovalDecidedEntry } from '../store/entry.ts'
import type { StoreOptions } from '../store/page.ts'
import type { StoredRecord } from '../store/records.ts'
import type { WaitingCall } from '../store/session-head.ts'
import type { Store } from '../store/store.ts'

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

/** Nothing waits in a session that is no longer there. */
export async function forgetRequests({ records }: Store, namespace: Namespace, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const { items } = await records.list({ collection: COLLECTION, namespace, signal })
    for (const { id } of items) await records.delete({ collection: COLLECTION, namespace, id }, { signal })
    if (items.length === 0) return
  }
}

/** All that wait, of a subtree, and can still be decided. */
export async function* waitingRequests(
  store: Store,
  within: Namespace,
  { signal }: StoreOptions = {},
): AsyncGenerator<ApprovalRequest> {
  for await (const request of notedRequests(store, within, signal)) {
    if (request.expiresAt > Date.now() && (await waitingCall(store, request, signal))) yield request
  }
}

/**
 * Refuses what nobody has decided in time, so that its runs go on, and removes what no longer waits. `within` is absent for
 * all namespaces.
 */
export async function refuseExpired(
  store: Store,
  within: Namespace | undefined,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<void> {
  for await (const request of notedRequests(store, within, signal)) {
    if (request.expiresAt > Date.now()) continue
    // One that cannot be refused now must not keep others from it; it is tried again.
    await refuse(store, request, signal).catch(failed)
    signal.throwIfAborted()
  }
}

async function refuse(store: Store, request: ApprovalRequest, signal: AbortSignal): Promise<void> {
  const waiting = await waitingCall(store, request, signal)
  if (waiting) await store.sessions.append(Namespace.parse(request.namespace), [expiry(waiting)], { signal })
  else await forgetRequest(store, request)
}

/** What an expired call's run, or anybody else, writes of it. */
export function expiry({ callId, seq }: Pick<WaitingCall, 'callId' | 'seq'>): ApprovalDecidedEntry {
  return { type: 'approval-decided', callId, asked: seq, approved: false, reason: 'Nobody decided in time.' }
}

async function waitingCall(
  { sessions }: Store,
  { namespace, runId, callId, spawnedBy }: ApprovalRequest,
  signal: AbortSignal | undefined,
): Promise<WaitingCall | undefined> {
  const openRunOf = async (key: string) => (await sessions.head(Namespace.parse(key), { signal }))?.openRun
  // A sub-agent whose caller has ended does nothing more, even if it is approved.
  if (spawnedBy && (await openRunOf(spawnedBy.namespace))?.runId !== spawnedBy.runId) return undefined
  const openRun = await openRunOf(namespace)
  return openRun?.runId === runId ? openRun.approvals?.find((call) => call.callId === callId) : undefined
}

async function* notedRequests(
  { records }: Store,
  within: Namespace | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ApprovalRequest> {
  for (let after: string | undefined; ; ) {
    const place = after === undefined ? {} : { after }
    const { items, next } = await records.list({ collection: COLLECTION, within, ...place, signal })
    for (const record of items) yield requestOf(record)
    if (next === undefined) return
    after = next
  }
}

function requestOf({ value }: StoredRecord): ApprovalRequest {
  return value as unknown as ApprovalRequest
}

/** Call ids are whatever a model's provider makes, and ids of records are not. */
function keyOf(namespace: Namespace, callId: string) {
  return { collection: COLLECTION, namespace, id: createHash('sha256').update(callId).digest('hex') }
}
