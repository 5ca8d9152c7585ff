import { isDeepStrictEqual } from 'node:util'
import {
  createRuntime,
  isOrraError,
  Namespace,
  type Runtime,
  type RuntimeOptions,
  type SessionLog,
  type Store,
} from '@orra/core'
import { snapshotOf } from './snapshot.ts'

/**
 * The keys of sessions whose summaries are not read alike: what would be sent next by `warm`, which has seen them grow, by a
 * process that begins to read at the last summary, and by one that reads all from the beginning.
 */
export async function unlikeReaders(
  warm: Runtime,
  options: Omit<RuntimeOptions, 'store'>,
  store: Store,
): Promise<readonly string[]> {
  await using cold = createRuntime({ ...options, store })
  await using thorough = createRuntime({ ...options, store: withoutCompactions(store) })
  const { sessions } = await snapshotOf(store)
  const unlike: string[] = []
  for (const { head } of sessions) {
    if (!head.compaction) continue
    const namespace = Namespace.parse(head.namespace)
    const readers = [warm, cold, thorough]
    const [first, ...others] = await atOnce(store.sessions, namespace, readers)
    if (others.some((other) => !isDeepStrictEqual(other, first))) unlike.push(head.namespace)
  }
  return unlike
}

/** What each of them would send of the same log: a summary may still be written meanwhile. */
async function atOnce(
  sessions: SessionLog,
  namespace: Namespace,
  readers: readonly Runtime[],
): Promise<readonly unknown[]> {
  for (;;) {
    const before = await sessions.head(namespace)
    const sent: unknown[] = []
    for (const reader of readers) sent.push(await sentBy(reader, namespace))
    if (isDeepStrictEqual(await sessions.head(namespace), before)) return sent
  }
}

async function sentBy(reader: Runtime, namespace: Namespace): Promise<unknown> {
  try {
    const { request, report } = await reader.preview(namespace)
    const { compactedTurns, droppedTurns, sentTurns } = report
    // As a provider would get it: what is not there, and what is there and undefined, are the same.
    return JSON.parse(JSON.stringify({ messages: request.messages, compactedTurns, droppedTurns, sentTurns }))
  } catch (error) {
    return isOrraError(error) ? error.code : String(error)
  }
}

function withoutCompactions(store: Store): Store {
  const head: SessionLog['head'] = async (namespace, options) => {
    const found = await store.sessions.head(namespace, options)
    if (!found) return undefined
    const { compaction: _, ...rest } = found
    return rest
  }
  return { ...store, sessions: { ...store.sessions, head } }
}
