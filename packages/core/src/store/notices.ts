import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Store } from './store.ts'

/**
 * An extra ability of a store: telling whoever listens, in any process, at once. Nothing rests on it. A notice may be lost
 * when a connection breaks; then what it would have told is found out a little later, by looking.
 */
export interface NotifyingStore extends Store {
  readonly notices: Notices
}

/**
 * An implementer must keep: notices of one publisher about one namespace arrive in order, once; listeners of other
 * namespaces, those below included, hear nothing of them; the publisher's own listeners hear them, too; what is
 * handed to a listener is a copy, and a listener that throws disturbs nobody.
 */
export interface Notices {
  /** Tells all listeners of this namespace. Does not wait and does not throw. At most 7,000 bytes as JSON. */
  publish(namespace: Namespace, notice: JsonObject): void
  /** Resolves once it listens, until disposed. Throws `store.unusable`. */
  subscribe(namespace: Namespace, listener: (notice: JsonObject) => void): Promise<AsyncDisposable>
}

/** Whether the store can tell other processes at once. */
export function canNotify(store: Store): store is NotifyingStore {
  return 'notices' in store
}
