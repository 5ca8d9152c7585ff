import { type Acceptance, acceptanceOf } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { InputEntry } from '../store/entry.ts'
import { sayLive } from './live-notice.ts'
import { beforeAppend, type Services } from './run-scope.ts'

/** What becomes of a message when its session is busy: a run is open, or messages wait. */
export type WhenBusy =
  /** It waits its turn. */
  | 'queue'
  /** It is not accepted: `session.busy`. */
  | 'reject'
  /** What runs and what waits is aborted, and it is answered next. */
  | 'interrupt'
  /** It joins the run, before its next model call, and shares its end. */
  | 'steer'

/** Accepts a message, durably and once a key, without waiting for what becomes of it. Throws `session.busy`. */
export async function submitInput(
  services: Services,
  namespace: Namespace,
  entry: InputEntry,
  whenBusy: WhenBusy,
  signal: AbortSignal,
): Promise<void> {
  const message = await beforeAppend(services.hooks, { namespace, signal }, entry.message)
  const { sessions } = services.store
  const result = await sessions.append(namespace, [{ ...entry, message }], { ifIdle: whenBusy === 'reject', signal })
  await makeWay(services, namespace, whenBusy, acceptanceOf(entry.key, result))
}

/** Does to those before an accepted input what it asks for. Whether there were any, and it did. */
export async function makeWay(
  { store, notices }: Services,
  namespace: Namespace,
  whenBusy: WhenBusy,
  { isNew, before }: Acceptance,
): Promise<boolean> {
  if (!isNew || before.length === 0 || whenBusy === 'queue') return false
  if (whenBusy === 'interrupt') {
    await store.sessions.append(
      namespace,
      before.map((input) => ({ type: 'input-withdrawn', input })),
    )
  }
  sayLive(notices, namespace, { type: 'changed' })
  return true
}
