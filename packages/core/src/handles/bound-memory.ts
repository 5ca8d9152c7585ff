import type { JsonObject } from '../json.ts'

/** What is remembered of one namespace, for as long as nobody forgets it: facts that outlive a conversation's context. */
export interface BoundMemory {
  /** Keeps a text, under an id of its own or in place of what has the id given. Returns the id. */
  remember(text: string, options?: { readonly id?: string; readonly about?: JsonObject }): Promise<string>
  /** Memories that share words with `query`, the best first. @default limit 10 */
  recall(query: string, options?: { readonly limit?: number }): Promise<readonly Memory[]>
  /** Whether there was one. */
  forget(id: string): Promise<boolean>
}

export interface Memory {
  readonly id: string
  readonly text: string
  /** What was said of it when it was kept. */
  readonly about?: JsonObject
  /** Milliseconds since 1970, by the store's clock. */
  readonly updatedAt: number
}
