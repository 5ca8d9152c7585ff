import { Namespace } from '../namespace.ts'
import type { Lineage } from '../store/lineage.ts'
import { sayLive } from './live-notice.ts'
import type { RunScope, Services } from './run-scope.ts'

/** Who began a sub-agent's run; nobody, when a log that was imported names somebody above whom it does not lie. */
export function callerOf(
  { key }: Namespace,
  run: { readonly spawnedBy?: Lineage | undefined } | undefined,
): Lineage | undefined {
  const { spawnedBy } = run ?? {}
  return spawnedBy && key.startsWith(`${spawnedBy.namespace}:`) ? spawnedBy : undefined
}

/** Whether the call that began a sub-agent still waits for it: its run is open. */
export async function isWanted({ services, signal }: RunScope, { namespace, runId }: Lineage): Promise<boolean> {
  const head = await services.store.sessions.head(Namespace.parse(namespace), { signal })
  return head?.openRun?.runId === runId
}

/** A sub-agent that was suspended has its answer: the call that suspended with it is to be made again. */
export async function wakeCaller({ store, notices }: Services, caller: Lineage, signal: AbortSignal): Promise<void> {
  const namespace = Namespace.parse(caller.namespace)
  const { runId, callId } = caller
  await store.sessions.append(namespace, [{ type: 'call-woken', runId, callId }], { signal })
  sayLive(notices, namespace, { type: 'changed' })
}
