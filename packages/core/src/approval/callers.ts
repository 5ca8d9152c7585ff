import { Namespace } from '../namespace.ts'
import type { Caller, Lineage } from '../store/lineage.ts'
import type { StoreOptions } from '../store/page.ts'
import type { Store } from '../store/store.ts'

/** Whether all who wait for a sub-agent still do: their runs are open. */
export async function areWaiting({ sessions }: Store, { callers }: Lineage, options: StoreOptions): Promise<boolean> {
  for (const { namespace, runId } of callers) {
    const head = await sessions.head(Namespace.parse(namespace), options)
    if (head?.openRun?.runId !== runId) return false
  }
  return true
}

/** Something has come that callers wait for: each call that is suspended is to be made again. */
export async function wakeCallers(
  { sessions }: Store,
  callers: readonly Caller[],
  options: StoreOptions,
): Promise<readonly Namespace[]> {
  const woken: Namespace[] = []
  for (const { namespace: key, runId, callId } of callers) {
    const namespace = Namespace.parse(key)
    const { written } = await sessions.append(namespace, [{ type: 'call-woken', runId, callId }], options)
    if (written > 0) woken.push(namespace)
  }
  return woken
}
