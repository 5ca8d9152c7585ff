import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Notices } from '../store/notices.ts'
import type { RunEvent } from './event.ts'

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
  /** Events since the entry `after`, which is the last so far; the first of them is number `from`, counting from 0. */
  | {
      readonly type: 'live'
      readonly after: number
      readonly from: number
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
