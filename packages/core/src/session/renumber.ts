import type { Entry, SentContext } from '../store/entry.ts'

/**
 * The entries that are kept of a log, as a log of their own: where one speaks of the place of another, it names the new
 * one; of one that is not kept, that of the last before it.
 */
export function renumbered(
  entries: readonly Entry[],
  isKept: (entry: Entry, index: number) => boolean,
): readonly Entry[] {
  const places = [0]
  const kept: Entry[] = []
  for (const [index, entry] of entries.entries()) {
    if (isKept(entry, index)) kept.push(entry)
    places.push(kept.length)
  }
  if (kept.length === entries.length) return kept
  const placeOf = (seq: number) => places[Math.min(seq, entries.length)] ?? 0
  return kept.map((entry) => moved(entry, placeOf))
}

function moved(entry: Entry, placeOf: (seq: number) => number): Entry {
  switch (entry.type) {
    case 'message':
      return entry.context ? { ...entry, context: movedContext(entry.context, placeOf) } : entry
    case 'approval-decided':
      return { ...entry, asked: placeOf(entry.asked) }
    case 'run-suspended':
      return { ...entry, seen: placeOf(entry.seen) }
    case 'message-pinned':
    case 'message-unpinned':
      return { ...entry, seq: placeOf(entry.seq) }
    case 'compaction': {
      const pins = entry.pins.map((pin) => ({ ...pin, seq: placeOf(pin.seq) }))
      return { ...entry, through: placeOf(entry.through), after: placeOf(entry.after), pins }
    }
    default:
      return entry
  }
}

function movedContext(context: SentContext, placeOf: (seq: number) => number): SentContext {
  const { from, resultsFrom } = context
  // The beginning of what was sent is that of the first that is kept.
  const moved = { ...context, from: placeOf(from - 1) + 1 }
  return resultsFrom === undefined ? moved : { ...moved, resultsFrom: placeOf(resultsFrom - 1) + 1 }
}
