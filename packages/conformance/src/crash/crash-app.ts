import type { Provider, Runtime, RuntimeOptions, Store } from '@orra/core'

/**
 * An application as it is tried by killing its process: the default export of a module, which is loaded anew in every
 * process. A `place` is whatever text says where the data is, such as a folder or a URL; each crash has a place of its own.
 *
 * @example
 * const app: CrashApp = {
 *   openStore: (place) => sqliteStore(join(place, 'app.db')),
 *   options: (store) => ({ provider, tools: [bookRoom(store)] }),
 *   async converse(orra) {
 *     await orra.run(bob, 'Book a room', { key: 'first' })
 *   },
 * }
 * export default app
 */
export interface CrashApp {
  /** Opens the store at a place; a place that is new is empty. */
  openStore(place: string): Store | Promise<Store>
  /**
   * What the runtime is made of. Its store is `store`, and tools that keep data must keep it there: then the process is
   * killed at what they write, too. The provider must say the same to the same conversation, in whatever process and
   * however much of it is summed up.
   */
  options(store: Store, place: string): CrashAppOptions | Promise<CrashAppOptions>
  /**
   * Has the conversation, and resolves when everything is said. It is begun anew after every crash: it says the same
   * things with the same keys, so that what was accepted is not accepted twice.
   */
  converse(runtime: Runtime, store: Store): Promise<void>
  /** Throws when the application's own data is not as it should be: asked at the end, when nothing is left to do. */
  check?(store: Store, place: string): void | Promise<void>
}

/** The harness chooses the store and the lease. */
export type CrashAppOptions = Omit<RuntimeOptions, 'store' | 'leaseTtlMs' | 'provider'> & {
  readonly provider: Provider
}
