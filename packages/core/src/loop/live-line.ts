import type { JsonObject } from '../json.ts'
import type { Namespace } from '../namespace.ts'
import type { Notices } from '../store/notices.ts'
import type { RunEvent } from './event.ts'
import { type LiveEvent, type LiveNotice, liveNotice, sayLive, WATCHED_MS } from './live-notice.ts'

/**
 * The wire between who works in a session and who watches it or waits for it, in whatever process. It carries live
 * events only while somebody watches, and keeps those since the last entry for whoever comes late.
 */
export interface LiveLine extends Disposable {
  /** Tells of a live event; of others nothing, for they are in the log. `length` is that of the log. */
  tell(event: RunEvent, length: number): void
  /** The log has grown; what was told since its entry before is over. */
  grown(): void
}

/** So that no notice is longer than a store takes, whatever its characters cost. */
const PIECE_CHARACTERS = 1000
const NOTICE_BYTES = 6000

/** `heard` gets what others say. `opened` is called once it listens. */
export function openLiveLine(
  namespace: Namespace,
  notices: Notices,
  { heard, opened }: { readonly heard: (notice: LiveNotice) => void; readonly opened: () => void },
): LiveLine {
  let recent: LiveEvent[] = []
  let after = 0
  /** How many of `recent` have been told. */
  let told = 0
  let watchedUntil = 0
  let flushing = false
  let closed = false

  const watched = () => performance.now() < watchedUntil
  const say = (notice: LiveNotice) => sayLive(notices, namespace, notice)

  function flush(): void {
    flushing = false
    while (told < recent.length && !closed) {
      const events: LiveEvent[] = []
      const from = told
      for (let bytes = 0; told < recent.length; told += 1) {
        const event = recent[told] as LiveEvent
        bytes += JSON.stringify(event).length * 3
        if (events.length > 0 && bytes > NOTICE_BYTES) break
        events.push(event)
      }
      say({ type: 'live', after, from, events })
    }
  }

  /** What is emitted in one go is told in one. */
  function flushSoon(): void {
    if (flushing || !watched()) return
    flushing = true
    queueMicrotask(flush)
  }

  function listen(notice: JsonObject): void {
    const known = liveNotice(notice)
    if (!known || closed) return
    if (known.type === 'watching') {
      watchedUntil = performance.now() + WATCHED_MS
      // Those who have heard it already know by the numbers.
      if (known.late) told = 0
      flushSoon()
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
    tell(event, length) {
      if (!isLive(event)) return
      if (length !== after) {
        recent = []
        told = 0
        after = length
      }
      recent.push(...piecesOf(event))
      flushSoon()
    },
    grown() {
      if (watched()) say({ type: 'changed' })
    },
    [Symbol.dispose]() {
      closed = true
      subscribing.then((subscription) => subscription[Symbol.asyncDispose]()).catch(() => {})
    },
  }
}

function isLive(event: RunEvent): event is LiveEvent {
  const { type } = event
  return (
    type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-call-progress' || type === 'model-call-start'
  )
}

function piecesOf(event: LiveEvent): readonly LiveEvent[] {
  if (event.type === 'tool-call-progress') return [{ ...event, message: event.message.slice(0, PIECE_CHARACTERS) }]
  if (event.type === 'model-call-start' || event.text.length <= PIECE_CHARACTERS) return [event]
  const pieces = event.text.match(new RegExp(`.{1,${PIECE_CHARACTERS}}`, 'gsu')) ?? []
  return pieces.map((text) => ({ ...event, text }))
}
