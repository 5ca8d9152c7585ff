import { Namespace } from '../namespace.ts'
import type { LoggedEntry } from '../store/entry.ts'
import type { Page, StoreOptions } from '../store/page.ts'
import type { Store } from '../store/store.ts'
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
    // One that was claimed and never written to is none yet.
    if (head.length > 0) yield* sessionLines(head, entriesOf(Namespace.parse(head.namespace)))
  }
  for await (const record of all((after) => store.records.list({ within, signal, ...after }))) {
    yield lineOf({ type: 'record', ...record })
  }
  for await (const counter of all((after) => store.counters.list({ within, signal, ...after }))) {
    yield lineOf({ type: 'counter', ...counter })
  }
}

/** Removes all of it. `erased` is called with the key of each session that is gone, and awaited, before the rest goes. */
export async function eraseUnder(
  { sessions, records, counters }: Store,
  within: Namespace,
  { signal }: StoreOptions,
  erased: (key: string) => Promise<void>,
): Promise<EraseReceipt> {
  const keys: string[] = []
  for await (const { namespace } of all((after) => sessions.list({ within, signal, ...after }))) keys.push(namespace)
  const receipt = { sessions: await sessions.delete(within, { descendants: true }) }
  // From here on half of it is gone, and nothing may keep the rest.
  await Promise.all(keys.map(erased))
  return { ...receipt, records: await records.erase(within), counters: await counters.erase(within) }
}

async function* all<T>(read: (after: { readonly after?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let after = {}; ; ) {
    const { items, next } = await read(after)
    yield* items
    if (next === undefined) return
    after = { after: next }
  }
}
