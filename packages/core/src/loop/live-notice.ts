import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { RunEvent } from '../run-event.ts'
import type { Notices } from '../store/notices.ts'

/** What happens and is never in the log: only who watches at that moment sees it. */
export type LiveEvent = Extract<
  RunEvent,
  { type: 'model-call-start' | 'text-delta' | 'reasoning-delta' | 'tool-call-progress' }
>

/** What processes tell each other about a session. Whoever hears anything at all may look what is new in its log. */
export type LiveNotice =
  /** The log has grown, and whoever works in the session should know at once. */
  | { readonly type: 'changed' }
  /** Somebody has begun to work in the session. */
  | { readonly type: 'working' }
  /** Somebody waits for the lease. */
  | { readonly type: 'waiting' }
  /** The lease for which somebody waited is free. */
  | { readonly type: 'released' }
  /** Somebody watches. Who works here tells what happens, for `WATCHED_MS`, and to one who is late what has been told already. */
  | { readonly type: 'watching'; readonly late: boolean }
  /** What has happened since the last entry that a run wrote. */
  | {
      readonly type: 'live'
      /** Who tells. Another one counts anew, and what it tells begins anew. */
      readonly line: string
      /** The `seq` of that entry. */
      readonly after: number
      /** The number of the first of `events` since then, counting from 0. */
      readonly from: number
      /** Nothing before it can be told any more. */
      readonly isOldest: boolean
      readonly events: readonly LiveEvent[]
    }

/** How long a `watching` is heeded, in milliseconds; it is to be said again three times as often. */
export const WATCHED_MS = 30_000

const TYPES: ReadonlySet<unknown> = new Set<LiveNotice['type']>([
  'changed',
  'working',
  'waiting',
  'released',
  'watching',
  'live',
])

/** The notice, unless it is one of another version. */
export function liveNotice(notice: JsonObject): LiveNotice | undefined {
  return TYPES.has(notice['type']) ? (notice as unknown as LiveNotice) : undefined
}

/** Tells all who listen. */
export function sayLive(notices: Notices, namespace: Namespace, notice: LiveNotice): void {
  notices.publish(namespace, notice as unknown as JsonObject)
}
