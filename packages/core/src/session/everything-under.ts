import { Namespace } from '../namespace.ts'
import type { LoggedEntry } from '../store/entry.ts'
import type { Page, Store, StoreOptions } from '../store/store.ts'
import { lineOf, sessionLines } from './json-lines.ts'

/** How many of each were removed. */
export interface EraseReceipt {
  readonly sessions: number
  readonly records: number
  readonly counters: number
}

/** Everything that a store has of a namespace and of all below it, as JSON Lines: sessions, records, counters. */
export async function* exportUnder(
  store: Store,
  within: Namespace,
  entriesOf: (namespace: Namespace) => AsyncIterable<LoggedEntry>,
  { signal }: StoreOptions,
): AsyncGenerator<string> {
  for await (const head of all((after) => store.sessions.list({ within, signal, ...after }))) {
    yield* sessionLines(head, entriesOf(Namespace.parse(head.namespace)))
  }
  for await (const record of all((after) => store.records.list({ within, signal, ...after }))) {
    yield lineOf({ type: 'record', ...record })
  }
  for await (const counter of all((after) => store.counters.list({ within, signal, ...after }))) {
    yield lineOf({ type: 'counter', ...counter })
  }
}

/** Removes all of it. Sessions go first, and with them the leases of whoever still works there. */
export async function eraseUnder(store: Store, within: Namespace, options: StoreOptions): Promise<EraseReceipt> {
  const sessions = await store.sessions.delete(within, { ...options, descendants: true })
  const records = await store.records.erase(within, options)
  const counters = await store.counters.erase(within, options)
  return { sessions, records, counters }
}

async function* all<T>(read: (after: { readonly after?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let after = {}; ; ) {
    const { items, next } = await read(after)
    yield* items
    if (next === undefined) return
    after = { after: next }
  }
}
