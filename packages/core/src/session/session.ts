import type { ContextRules } from '../context/context-rules.ts'
import { type JsonValue, toJson } from '../json.ts'
import { sayLive } from '../loop/live-notice.ts'
import type { Message } from '../message.ts'
import { type Namespace, requireNamespace } from '../namespace.ts'
import { checkOptions, checkSignal, invalidOption, type OptionNames } from '../options.ts'
import type { Entry, LoggedEntry, MessageEntry, MetadataEntry } from '../store/entry.ts'
import type { StoreOptions } from '../store/page.ts'
import type { SessionHead } from '../store/session-head.ts'
import { readSessionLines, sessionLines } from './json-lines.ts'
import { type Folded, pinOf } from './pin-message.ts'
import { type SessionEvent, type Watched, type WatchOptions, watchSession } from './watch.ts'
import { importablePart, settledPart, writeLog } from './write-log.ts'

/** One namespace's conversation, to look at and to look after. Costs nothing until it is asked something. */
export interface Session {
  readonly namespace: Namespace
  /** What can be known without reading the log; `undefined` when there is none yet. */
  head(options?: StoreOptions): Promise<SessionHead | undefined>
  /** The log in order, read page by page as it is consumed. */
  entries(options?: EntriesOptions): AsyncIterable<LoggedEntry>
  /** The whole conversation, oldest first, including what is no longer sent to the model. */
  messages(options?: StoreOptions): Promise<readonly Message[]>
  /**
   * Sets metadata by name; `null` removes one. Throws `options.invalid` for what JSON cannot hold, and `store.conflict` when
   * something is not as `expect` says.
   */
  setMetadata(set: Metadata, options?: SetMetadataOptions): Promise<void>
  /**
   * Has a message of the user's or the model's sent with every call from now on, whatever becomes of its turn: the one whose
   * entry has this `seq`. Throws `options.invalid` for what is no such message, and `context.too-long` when all that is
   * pinned would take more than a quarter of what can be sent.
   */
  pin(seq: number, options?: StoreOptions): Promise<void>
  /** Lets a message go the way of its turn again. */
  unpin(seq: number, options?: StoreOptions): Promise<void>
  /**
   * What happens in the session from now on, in whatever process, and what has happened in a run that is open: every entry
   * of the log once and in order, and what a model says while it says it. Goes on until the signal aborts or the loop is
   * left; throws `session.deleted`.
   */
  watch(options?: WatchOptions): AsyncIterable<SessionEvent>
  /**
   * Copies the conversation as far as it is settled, to the end of its last run, into a session of its own. Resolves to how
   * many entries that is; where it is none, no session is made. Throws `session.exists`.
   */
  fork(target: Namespace, options?: ForkOptions): Promise<number>
  /** The session as JSON Lines, for `import`. Nothing when there is none. */
  export(options?: StoreOptions): AsyncIterable<string>
  /**
   * Makes this session of exported lines, all or nothing. Work that was open when it was exported is open here, too, and
   * what was approved in it is asked for again; times are those of the import. Throws `import.invalid` and `session.exists`.
   */
  import(lines: AsyncIterable<string> | Iterable<string>): Promise<void>
  /** Removes the log and everything it knew. What waits or is being answered in it fails with `session.deleted`. Returns whether there was one. */
  delete(options?: StoreOptions): Promise<boolean>
}

export type Metadata = { readonly [name: string]: JsonValue }

export interface EntriesOptions extends StoreOptions {
  /** The `seq` after which to begin. @default 0, the beginning */
  readonly after?: number
}

export interface SetMetadataOptions extends StoreOptions {
  /** What some of it must be now, `null` for what must not be there. @default anything */
  readonly expect?: Metadata
}

export interface ForkOptions extends StoreOptions {
  /** The `seq` of the last entry to look at. @default the whole log */
  readonly through?: number
}

const ENTRIES_OPTIONS: OptionNames<EntriesOptions> = { after: true, signal: true }
const SET_METADATA_OPTIONS: OptionNames<SetMetadataOptions> = { expect: true, signal: true }
const WATCH_OPTIONS: OptionNames<WatchOptions> = { after: true, signal: true }
const FORK_OPTIONS: OptionNames<ForkOptions> = { through: true, signal: true }

/** What a session needs to know. */
export interface SessionParts extends Watched {
  readonly context: ContextRules
  /** The session as this process sees it, up to date. */
  folded(signal: AbortSignal | undefined): Promise<Folded>
  /** It was deleted: what is kept beside its log is of no use any more. */
  deleted(signal: AbortSignal | undefined): Promise<void>
}

export function openSession(watched: SessionParts): Session {
  const { namespace, sessions } = watched

  function entries(options: EntriesOptions = {}): AsyncGenerator<LoggedEntry> {
    checkOptions('entries', options, ENTRIES_OPTIONS)
    const { after = 0, signal } = options
    checkPlace('after', after)
    return readOn(after, signal)
  }

  async function* readOn(after: number, signal: AbortSignal | undefined): AsyncGenerator<LoggedEntry> {
    for (;;) {
      const page = await sessions.read(namespace, { after, signal })
      const last = page.at(-1)
      if (!last) return
      yield* page
      after = last.seq
    }
  }

  async function say(entry: Entry, { signal }: StoreOptions): Promise<void> {
    await sessions.append(namespace, [entry], { signal })
    sayLive(watched.notices, namespace, { type: 'changed' })
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
    async setMetadata(set, options = {}) {
      checkOptions('setMetadata', options, SET_METADATA_OPTIONS)
      const { expect, signal } = options
      const conditions = expect === undefined ? {} : { expect: plain('expect', expect) }
      await sessions.append(namespace, [{ type: 'metadata', set: plain('metadata', set) }], { ...conditions, signal })
      sayLive(watched.notices, namespace, { type: 'changed' })
    },
    async pin(seq, options = {}) {
      checkPlace('seq', seq)
      const entry = await pinOf(watched, await watched.folded(options.signal), seq, watched.context, options)
      await say(entry, options)
    },
    async unpin(seq, options = {}) {
      checkPlace('seq', seq)
      const { sessionId, conversation } = await watched.folded(options.signal)
      if (sessionId === undefined || !conversation.pins.has(seq)) return
      await say({ type: 'message-unpinned', session: sessionId, seq }, options)
    },
    watch(options = {}) {
      checkOptions('watch', options, WATCH_OPTIONS)
      checkSignal(options.signal)
      if (options.after !== undefined) checkPlace('after', options.after)
      return watchSession(watched, options)
    },
    async fork(target, options = {}) {
      requireNamespace(target)
      checkOptions('fork', options, FORK_OPTIONS)
      const { through = Number.MAX_SAFE_INTEGER, signal } = options
      checkPlace('through', through)
      const copied: Entry[] = []
      for await (const { seq, entry } of entries({ signal })) {
        if (seq > through) break
        copied.push(entry)
      }
      const settled = settledPart(copied)
      await writeLog(sessions, target, settled)
      return settled.length
    },
    async *export(options) {
      const head = await sessions.head(namespace, options)
      if (head) yield* sessionLines(head, entries(options))
    },
    async import(lines) {
      await writeLog(sessions, namespace, importablePart(await readSessionLines(lines)))
    },
    async delete(options) {
      const deleted = (await sessions.delete(namespace, options)) > 0
      await watched.deleted(options?.signal)
      if (deleted) sayLive(watched.notices, namespace, { type: 'changed' })
      return deleted
    },
  }
}

function checkPlace(option: string, seq: number): void {
  if (!(Number.isSafeInteger(seq) && seq >= 0)) throw invalidOption(option, 'give the "seq" of an entry, or 0')
}

function plain(option: string, set: Metadata): MetadataEntry['set'] {
  if (typeof set !== 'object' || set === null || Array.isArray(set)) {
    throw invalidOption(option, 'give an object of names and values')
  }
  try {
    return toJson(set)
  } catch (error) {
    throw invalidOption(option, error instanceof Error ? error.message : 'it is not JSON')
  }
}

function isMessage(entry: LoggedEntry['entry']): entry is MessageEntry {
  return entry.type === 'message'
}
