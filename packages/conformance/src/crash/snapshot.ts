import {
  type Counter,
  type LoggedEntry,
  Namespace,
  type Page,
  type SessionHead,
  type Store,
  type StoredRecord,
} from '@orra/core'

/** All that a store holds. */
export interface Snapshot {
  readonly sessions: readonly SessionSnapshot[]
  /** The keys of sessions that the store lists as pending. */
  readonly pending: readonly string[]
  readonly records: readonly StoredRecord[]
  readonly counters: readonly Counter[]
}

export interface SessionSnapshot {
  readonly head: SessionHead
  readonly entries: readonly LoggedEntry[]
}

export async function snapshotOf({ sessions, records, counters }: Store): Promise<Snapshot> {
  const heads = await allOf((after) => sessions.list(after))
  const found: SessionSnapshot[] = []
  for (const head of heads) {
    const entries: LoggedEntry[] = []
    for (;;) {
      const read = await sessions.read(Namespace.parse(head.namespace), { after: entries.length })
      if (read.length === 0) break
      entries.push(...read)
    }
    found.push({ head, entries })
  }
  const pending = await allOf((after) => sessions.list({ ...after, pending: true }))
  return {
    sessions: found,
    pending: pending.map(({ namespace }) => namespace),
    records: await allOf((after) => records.list(after)),
    counters: await allOf((after) => counters.list(after)),
  }
}

async function allOf<T>(list: (place: { readonly after?: string }) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = []
  let place: { readonly after?: string } = {}
  for (;;) {
    const page = await list(place)
    items.push(...page.items)
    if (page.next === undefined) return items
    place = { after: page.next }
  }
}
