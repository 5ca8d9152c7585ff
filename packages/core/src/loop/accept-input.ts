import type { Namespace } from '../namespace.ts'
import type { InputEntry } from '../store/entry.ts'
import { admitted } from './admit-input.ts'
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
  /**
   * It joins the run, before its next model call, and shares its end. One that asks for a model, tools or turns of its own
   * waits its turn instead, for the run has others.
   */
  | 'steer'

/** Accepts a message, durably and once a key, without waiting for what becomes of it. Throws `session.busy`. */
export async function submitInput(
  services: Services,
  namespace: Namespace,
  entry: InputEntry,
  whenBusy: WhenBusy,
  signal: AbortSignal,
): Promise<void> {
  const message = await beforeAppend(services.hooks, { namespace, metadata: {}, signal }, entry.message)
  const { sessions } = services.store
  await admitted(services, namespace, entry, signal, async (ifKnown) => {
    const options = { ifIdle: whenBusy === 'reject', ifKnown, signal }
    const { written } = await sessions.append(namespace, [{ ...entry, message }], options)
    return { isNew: written > 0 }
  })
  // Who works in the session should know at once, and who watches it, too.
  sayLive(services.notices, namespace, { type: 'changed' })
}
