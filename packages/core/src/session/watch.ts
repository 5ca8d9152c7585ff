import { linkAbort, pause } from '../abort.ts'
import type { JsonObject } from '../json.ts'
import { type LiveEvent, type LiveNotice, liveNotice, sayLive, WATCHED_MS } from '../loop/live-notice.ts'
import { sessionDeleted } from '../loop/recorded-result.ts'
import type { Namespace } from '../namespace.ts'
import type { LoggedEntry } from '../store/entry.ts'
import type { Notices } from '../store/notices.ts'
import type { StoreOptions } from '../store/page.ts'
import { isFree } from '../store/session-head.ts'
import type { SessionLog } from '../store/session-log.ts'

/** What a watcher sees: every entry of the log, once and in order, and between them what is never in the log. */
export type SessionEvent = ({ readonly type: 'entry' } & LoggedEntry) | LiveEvent

export interface WatchOptions extends StoreOptions {
  /** The `seq` of the last entry that is known: where a watcher goes on that was cut off. @default the end, or what precedes the run that is open */
  readonly after?: number
}

/** What watching needs to know. */
export interface Watched {
  readonly namespace: Namespace
  readonly sessions: SessionLog
  readonly notices: Notices
  /** How often the log is looked at although no notice came, in milliseconds. */
  readonly pollMs: number
  readonly closing: AbortSignal
}

/** Notices that a slow watcher keeps; of more it only knows that there were some. */
const MOST_HEARD = 1000
/** How far back the last entry of a run is looked for, to begin with. */
const LOOK_BACK = 50

/** Ends with the signal, and when it is left, even while nothing happens. Throws `session.deleted` and `runtime.closed`. */
export function watchSession(watched: Watched, options: WatchOptions): AsyncIterableIterator<SessionEvent> {
  const left = new AbortController()
  const events = watch(watched, options, left.signal)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => events.next(),
    async return() {
      left.abort()
      await events.return()
      return { done: true, value: undefined }
    },
  }
}

async function* watch(
  { namespace, sessions, notices, pollMs, closing }: Watched,
  options: WatchOptions,
  leaving: AbortSignal,
): AsyncGenerator<SessionEvent, void> {
  using stop = linkAbort(leaving, options.signal, closing)
  const left = stop.signal
  let heard: LiveNotice[] = []
  let nap = new AbortController()
  await using _ = await notices.subscribe(namespace, (notice: JsonObject) => {
    const known = liveNotice(notice)
    if (!known || known.type === 'watching') return
    // Whoever is that slow asks for what it has missed.
    if (heard.length >= MOST_HEARD) heard = [{ type: 'working' }]
    heard.push(known)
    nap.abort()
  })
  let saidAt = 0
  const say = (late: boolean) => {
    saidAt = performance.now()
    sayLive(notices, namespace, { type: 'watching', late })
  }
  say(true)

  const head = await sessions.head(namespace)
  let sessionId = head?.id
  let cursor = options.after ?? (head?.openRun ? head.openRun.seq - 1 : (head?.length ?? 0))
  let written = await lastWritten(cursor)
  /** Who tells what has happened since which entry, and how much of it was seen. */
  let told = { line: '', after: 0, seen: 0 }

  async function lastWritten(cursor: number): Promise<number> {
    const before = await sessions.read(namespace, { after: Math.max(0, cursor - LOOK_BACK), limit: LOOK_BACK })
    return before.findLast(({ seq, entry }) => seq <= cursor && !isFree(entry))?.seq ?? 0
  }

  async function* newEntries(): AsyncGenerator<SessionEvent> {
    while (!left.aborted) {
      const entries = await sessions.read(namespace, { after: cursor })
      if (entries.length === 0) return
      for (const logged of entries) {
        cursor = logged.seq
        if (!isFree(logged.entry)) written = logged.seq
        yield { type: 'entry', ...logged }
      }
    }
  }

  async function* newEvents({ line, after, from, isOldest, events }: Told): AsyncGenerator<SessionEvent> {
    if (after > written) yield* newEntries()
    // What led to an entry that is there already is over.
    if (after < written) return
    if (line !== told.line || after !== told.after) told = { line, after, seen: 0 }
    if (from > told.seen && !isOldest) return say(true)
    if (from > told.seen) told.seen = from
    for (const event of events.slice(told.seen - from)) {
      told.seen += 1
      yield event
    }
  }

  async function checkDeleted(): Promise<void> {
    const { id } = (await sessions.head(namespace)) ?? {}
    if (sessionId !== undefined && id !== sessionId) throw sessionDeleted(namespace)
    sessionId = id
  }

  yield* newEntries()
  while (!left.aborted) {
    if (performance.now() - saidAt > WATCHED_MS / 3) say(false)
    if (heard.length === 0) {
      nap = new AbortController()
      using either = linkAbort(nap.signal, left)
      await pause(pollMs, either.signal)
    }
    const notices = heard.splice(0)
    for (const notice of notices) {
      if (notice.type === 'working') say(true)
      if (notice.type === 'live') yield* newEvents(notice)
    }
    // A live one has said what it has to say, and what it led to may not have been told to its end. All others, and
    // silence, are reasons to look.
    if (notices.length > 0 && notices.every(({ type }) => type === 'live')) continue
    const before = cursor
    yield* newEntries()
    if (cursor === before) await checkDeleted()
  }
  closing.throwIfAborted()
}

type Told = Extract<LiveNotice, { type: 'live' }>
