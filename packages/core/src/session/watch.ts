import { linkAbort, pause } from '../abort.ts'
import type { JsonObject } from '../json.ts'
import { type LiveEvent, type LiveNotice, liveNotice, sayLive, WATCHED_MS } from '../loop/live-notice.ts'
import { sessionDeleted } from '../loop/recorded-result.ts'
import type { Namespace } from '../namespace.ts'
import type { LoggedEntry } from '../store/entry.ts'
import type { Notices } from '../store/notices.ts'
import type { SessionLog } from '../store/session-log.ts'
import type { StoreOptions } from '../store/store.ts'

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

/** Ends with the signal, and throws `session.deleted` and `runtime.closed`. */
export async function* watchSession(watched: Watched, options: WatchOptions): AsyncGenerator<SessionEvent, void> {
  const { namespace, sessions, notices, pollMs, closing } = watched
  using stop = linkAbort(options.signal, closing)
  const heard: LiveNotice[] = []
  let nap = new AbortController()
  await using _ = await notices.subscribe(namespace, (notice: JsonObject) => {
    const known = liveNotice(notice)
    if (!known || known.type === 'watching') return
    heard.push(known)
    nap.abort()
  })
  const say = (late: boolean) => sayLive(notices, namespace, { type: 'watching', late })
  say(true)

  const head = await sessions.head(namespace)
  let sessionId = head?.id
  let cursor = options.after ?? (head?.openRun ? head.openRun.seq - 1 : (head?.length ?? 0))
  /** How many live events were seen since the entry at the cursor. */
  let seen = 0
  let saidAt = performance.now()

  async function* newEntries(): AsyncGenerator<SessionEvent> {
    for (;;) {
      const entries = await sessions.read(namespace, { after: cursor })
      if (entries.length === 0) return
      for (const logged of entries) {
        cursor = logged.seq
        seen = 0
        yield { type: 'entry', ...logged }
      }
    }
  }

  async function checkDeleted(): Promise<void> {
    const { id } = (await sessions.head(namespace)) ?? {}
    if (sessionId !== undefined && id !== sessionId) throw sessionDeleted(namespace)
    sessionId = id
  }

  while (!stop.signal.aborted) {
    yield* newEntries()
    // Each notice is a reason to look; a live one has something to say itself.
    for (const notice of heard.splice(0)) {
      if (notice.type === 'working') say(seen === 0)
      if (notice.type !== 'live') continue
      if (notice.after > cursor) yield* newEntries()
      // What led to an entry that is there already is over.
      if (notice.after < cursor) continue
      if (notice.from > seen) {
        say(true)
        continue
      }
      for (const event of notice.events.slice(seen - notice.from)) {
        seen += 1
        yield event
      }
    }
    if (heard.length > 0 || stop.signal.aborted) continue
    nap = new AbortController()
    using either = linkAbort(nap.signal, stop.signal)
    await pause(pollMs, either.signal)
    if (performance.now() - saidAt > WATCHED_MS / 3) {
      say(false)
      saidAt = performance.now()
    }
    if (heard.length === 0 || heard.some(({ type }) => type === 'changed')) await checkDeleted()
  }
  closing.throwIfAborted()
}
