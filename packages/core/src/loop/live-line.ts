import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { RunEvent } from '../run-event.ts'
import type { Notices } from '../store/notices.ts'
import { type LiveEvent, type LiveNotice, liveNotice, sayLive, WATCHED_MS } from './live-notice.ts'

/**
 * The wire between who works in a session and who watches it or waits for it, in whatever process. It carries live
 * events only while somebody watches, and keeps those since the last entry of a run for whoever comes late.
 */
export interface LiveLine extends Disposable {
  /** Tells of a live event; of others nothing, for they are in the log. `after` is the last entry that a run wrote. */
  tell(event: RunEvent, after: number): void
  /** The log has grown. */
  grown(): void
}

export interface LiveLineOptions {
  /** Gets what others say. */
  readonly heard: (notice: LiveNotice) => void
  /** Called once it listens. */
  readonly opened: () => void
}

/** So that no notice is longer than a store takes, whatever its characters cost. */
const PIECE_CHARACTERS = 1000
const NOTICE_BYTES = 6000
/** More are not kept for those who come late. */
const KEPT_EVENTS = 10_000
/** All who come late within so many milliseconds are told at once. */
const REPLAY_PAUSE_MS = 250

export function openLiveLine(namespace: Namespace, notices: Notices, { heard, opened }: LiveLineOptions): LiveLine {
  const line = randomUUID()
  let recent: LiveEvent[] = []
  /** The number of the first of `recent`. */
  let oldest = 0
  let after = 0
  /** The number of the next event to be told. */
  let next = 0
  let watchedUntil = 0
  let flushing = false
  let replaying: NodeJS.Timeout | undefined
  let isLate = false
  let closed = false

  // Most runs are watched by nobody, and have their deltas looked at all the same.
  const watched = () => watchedUntil > 0 && performance.now() < watchedUntil
  const say = (notice: LiveNotice) => sayLive(notices, namespace, notice)

  function flush(): void {
    flushing = false
    while (next < oldest + recent.length && !closed) {
      const events = firstOf(recent, next - oldest)
      say({ type: 'live', line, after, from: next, isOldest: next === oldest, events })
      next += events.length
    }
  }

  /** What is emitted in one go is told in one. */
  function flushSoon(): void {
    if (flushing || !watched()) return
    flushing = true
    queueMicrotask(flush)
  }

  /** Those who have heard it already know by the numbers. */
  function replay(): void {
    isLate = true
    if (replaying) return
    const tellAll = () => {
      replaying = undefined
      if (!isLate) return
      isLate = false
      next = oldest
      flushSoon()
      replaying = setTimeout(tellAll, REPLAY_PAUSE_MS).unref()
    }
    tellAll()
  }

  function listen(notice: JsonObject): void {
    const known = liveNotice(notice)
    if (!known || closed) return
    if (known.type === 'watching') {
      watchedUntil = performance.now() + WATCHED_MS
      if (known.late) replay()
      else flushSoon()
    } else if (known.type !== 'live' && known.type !== 'working') {
      heard(known)
    }
  }

  const subscribing = notices.subscribe(namespace, listen)
  // Without it, others find out by looking.
  subscribing.then(
    () => closed || opened(),
    () => {},
  )

  return {
    tell(event, written) {
      if (!isLive(event)) return
      if (written !== after) {
        recent = []
        oldest = 0
        next = 0
        after = written
      }
      if (isShort(event)) recent.push(event)
      else recent.push(...piecesOf(event))
      if (recent.length > 2 * KEPT_EVENTS) {
        recent = recent.slice(KEPT_EVENTS)
        oldest += KEPT_EVENTS
        next = Math.max(next, oldest)
      }
      flushSoon()
    },
    grown() {
      if (watched()) say({ type: 'changed' })
    },
    [Symbol.dispose]() {
      closed = true
      clearTimeout(replaying)
      subscribing.then((subscription) => subscription[Symbol.asyncDispose]()).catch(() => {})
    },
  }
}

/** As many as one notice holds, and at least one. */
function firstOf(events: readonly LiveEvent[], from: number): readonly LiveEvent[] {
  const first: LiveEvent[] = []
  let bytes = 0
  for (let index = from; index < events.length; index += 1) {
    const event = events[index] as LiveEvent
    bytes += Buffer.byteLength(JSON.stringify(event)) + 1
    if (first.length > 0 && bytes > NOTICE_BYTES) break
    first.push(event)
  }
  return first
}

function isLive(event: RunEvent): event is LiveEvent {
  const { type } = event
  return (
    type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-call-progress' || type === 'model-call-start'
  )
}

function isShort(event: LiveEvent): boolean {
  return 'text' in event ? event.text.length <= PIECE_CHARACTERS : event.type === 'model-call-start'
}

function piecesOf(event: LiveEvent): readonly LiveEvent[] {
  if (event.type === 'tool-call-progress') return [{ ...event, message: event.message.slice(0, PIECE_CHARACTERS) }]
  if (event.type === 'model-call-start') return [event]
  const pieces = event.text.match(new RegExp(`.{1,${PIECE_CHARACTERS}}`, 'gsu')) ?? []
  return pieces.map((text) => ({ ...event, text }))
}
