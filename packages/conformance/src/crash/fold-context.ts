import { isDeepStrictEqual } from 'node:util'
import type {
  CompactionEntry,
  LoggedEntry,
  Message,
  MessagePinnedEntry,
  MessageUnpinnedEntry,
  Pin,
  SessionHead,
} from '@orra/core'

/** What a log says of what is to be sent of it: what summaries stand for, and what is pinned. */
export interface FoldedContext {
  /** As a head is to say it. */
  readonly compaction: SessionHead['compaction']
  /** Folds the next entry in. Returns why it could not come here. */
  fold(logged: LoggedEntry): string | false | undefined
}

/** So many of a log's runs, and of the messages in them. */
interface Counts {
  readonly turns: number
  readonly messages: number
}

interface PinChange {
  readonly at: number
  readonly entry: MessagePinnedEntry | MessageUnpinnedEntry
}

export function contextFold(): FoldedContext {
  const said = new Map<number, Message>()
  const ends = new Map<number, Counts>()
  const changes: PinChange[] = []
  let turns = 0
  let compaction: SessionHead['compaction']

  const isSaid = ({ seq, message }: Pin) => isDeepStrictEqual(said.get(seq), message)

  function compact(seq: number, { through, after, turns, messages, pins }: CompactionEntry) {
    const before = compaction
    const counts = ends.get(through)
    compaction = { seq, through }
    if (after !== (before?.through ?? 0) || through <= after) return 'a compaction does not follow the one before'
    if (!counts) return 'a compaction does not end with a run'
    if (counts.turns !== turns || counts.messages !== messages) return 'a compaction miscounts what it stands for'
    // Whoever begins to read there knows what was pinned until there by the entry alone.
    const known = pins.map((pin) => pin.seq)
    const later = changes.filter(({ at }) => at > through)
    const isTrue = isDeepStrictEqual(pinnedBy(later, known), pinnedBy(changes)) && pins.every(isSaid)
    return !isTrue && 'a compaction does not say what is pinned'
  }

  return {
    get compaction() {
      return compaction
    },
    fold({ seq, entry }) {
      switch (entry.type) {
        case 'run-started':
          turns += 1
          return
        case 'message':
          said.set(seq, entry.message)
          return
        case 'run-ended':
          ends.set(seq, { turns, messages: said.size })
          return
        case 'compaction':
          return compact(seq, entry)
        case 'message-pinned':
          changes.push({ at: seq, entry })
          return !isSaid(entry) && 'a message is pinned that is not there'
        case 'message-unpinned':
          changes.push({ at: seq, entry })
          return
        default:
          return
      }
    },
  }
}

/** The places of what is pinned once all that has been said. */
function pinnedBy(changes: readonly PinChange[], known: readonly number[] = []): ReadonlySet<number> {
  const pinned = new Set(known)
  for (const { entry } of changes) {
    if (entry.type === 'message-pinned') pinned.add(entry.seq)
    else pinned.delete(entry.seq)
  }
  return pinned
}
