import type { Runtime } from './runtime.ts'

/** Where messages come from and answers go: a terminal, a chat service, an HTTP server. */
export interface Channel {
  /** Such as `terminal`; for messages. */
  readonly name: string
  /**
   * Passes messages to the runtime and what it yields back, until the signal aborts or nothing more can come; then
   * resolves, with everything it opened closed. Rejects when it cannot begin, and when it cannot go on. A run that
   * fails is told to whoever asked for it and does not end the channel.
   */
  serve(runtime: Runtime, options?: { readonly signal?: AbortSignal }): Promise<void>
}
