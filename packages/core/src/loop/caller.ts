import { wakeCallers } from '../approval/callers.ts'
import { Namespace } from '../namespace.ts'
import type { Caller, Lineage } from '../store/lineage.ts'
import { sayLive } from './live-notice.ts'
import type { Services } from './run-scope.ts'

/** How a run came to be asked for; nothing, when a log names somebody above whom it does not lie. */
export function callersOf(
  { key }: Namespace,
  run: { readonly spawnedBy?: Lineage | undefined } | undefined,
): Lineage | undefined {
  const { spawnedBy } = run ?? {}
  const isBelow = spawnedBy?.callers.every(({ namespace }) => key.startsWith(`${namespace}:`))
  return isBelow ? spawnedBy : undefined
}

/** Whom a run is for: its own namespace, or that of whoever's message all of it is for. */
export function rootOf(namespace: Namespace, run: { readonly spawnedBy?: Lineage | undefined } | undefined): Namespace {
  const lineage = callersOf(namespace, run)
  return lineage ? Namespace.parse(lineage.callers[0].namespace) : namespace
}

/** Has calls that wait made again, wherever they are. */
export async function wake(
  { store, notices }: Services,
  callers: readonly Caller[],
  signal: AbortSignal,
): Promise<void> {
  for (const namespace of await wakeCallers(store, callers, { signal }))
    sayLive(notices, namespace, { type: 'changed' })
}
