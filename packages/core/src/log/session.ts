import { type JsonValue, toJson } from '../json.ts'
import type { Message } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import { invalidOption } from '../options.ts'
import type { LoggedEntry, MessageEntry, MetadataEntry } from './entry.ts'
import type { SessionHead } from './session-head.ts'
import type { SessionLog, StoreOptions } from './store.ts'

/** One namespace's conversation, to look at and to look after. Costs nothing until it is asked something. */
export interface Session {
  readonly namespace: Namespace
  /** What can be known without reading the log; `undefined` when there is none yet. */
  head(options?: StoreOptions): Promise<SessionHead | undefined>
  /** The log in order, read page by page as it is consumed. */
  entries(options?: EntriesOptions): AsyncIterable<LoggedEntry>
  /** The whole conversation, oldest first, including what is no longer sent to the model. */
  messages(options?: StoreOptions): Promise<readonly Message[]>
  /** Sets metadata by name; `null` removes one. Throws `options.invalid` for what JSON cannot hold. */
  setMetadata(set: { readonly [name: string]: JsonValue }): Promise<void>
  /** Removes the log and everything it knew. What waits or is being answered in it fails with `session.deleted`. Returns whether there was one. */
  delete(options?: StoreOptions): Promise<boolean>
}

export interface EntriesOptions extends StoreOptions {
  /** The `seq` after which to begin. @default 0, the beginning */
  readonly after?: number
}

export function openSession(namespace: Namespace, sessions: SessionLog): Session {
  async function* entries({ after = 0, signal }: EntriesOptions = {}): AsyncGenerator<LoggedEntry> {
    for (;;) {
      const page = await sessions.read(namespace, { after, signal })
      const last = page.at(-1)
      if (!last) return
      yield* page
      after = last.seq
    }
  }

  return {
    namespace,
    head: (options) => sessions.head(namespace, options),
    entries,
    async messages(options) {
      const messages: Message[] = []
      for await (const { entry } of entries(options)) if (isMessage(entry)) messages.push(entry.message)
      return messages
    },
    async setMetadata(set) {
      await sessions.append(namespace, [{ type: 'metadata', set: plain(set) }])
    },
    async delete(options) {
      return (await sessions.delete(namespace, options)) > 0
    },
  }
}

function plain(set: MetadataEntry['set']): MetadataEntry['set'] {
  try {
    return toJson(set)
  } catch (error) {
    throw invalidOption('metadata', error instanceof Error ? error.message : 'it is not JSON')
  }
}

function isMessage(entry: LoggedEntry['entry']): entry is MessageEntry {
  return entry.type === 'message'
}
