import { Namespace } from '@orra/core'
import type { CrashProblem } from './crash-problem.ts'
import { counterName, recordName, type Witnessed } from './journal.ts'
import type { Snapshot } from './snapshot.ts'

interface Expected {
  /** The least: a session's entries, a record's version, what was settled on a counter. */
  readonly amount: number
  readonly namespace: string
}

/** What a store returned for, as was witnessed, and does not hold. */
export function lostSince(journal: readonly Witnessed[], found: Snapshot): readonly CrashProblem[] {
  const { sessions, records, counters } = expectationsOf(journal)
  const lengths = new Map(found.sessions.map(({ head, entries }) => [head.namespace, entries.length]))
  const versions = new Map(found.records.map((record) => [recordName(record), record.version]))
  const used = new Map(
    found.counters.map(({ namespace, counter, window, used }) => [counterName(namespace, counter, window), used]),
  )
  return [
    ...missing('entries of the session', sessions, lengths),
    ...missing('the version of the record', records, versions),
    ...missing('the amount of the counter', counters, used),
  ].map((problem) => ({ kind: 'lost', problem }))
}

function missing(
  what: string,
  expected: ReadonlyMap<string, Expected>,
  found: ReadonlyMap<string, number>,
): readonly string[] {
  return [...expected]
    .filter(([name, { amount }]) => amount > (found.get(name) ?? 0))
    .map(([name, { amount }]) => `${what} ${name}: ${amount} were written and ${found.get(name) ?? 0} are there`)
}

function expectationsOf(journal: readonly Witnessed[]) {
  const sessions = new Map<string, Expected>()
  const records = new Map<string, Expected>()
  const counters = new Map<string, Expected>()
  for (const seen of journal) {
    switch (seen.type) {
      case 'appended':
        atLeast(sessions, seen.namespace, seen.length, seen.namespace)
        break
      case 'deleting-sessions':
        if (seen.descendants) forget(sessions, seen.namespace)
        else sessions.delete(seen.namespace)
        break
      case 'put':
        atLeast(records, seen.record, seen.version, seen.namespace)
        break
      case 'deleting-record':
        records.delete(seen.record)
        break
      case 'erasing-records':
        forget(records, seen.namespace)
        break
      case 'settled': {
        const { amount = 0 } = counters.get(seen.counter) ?? {}
        counters.set(seen.counter, { amount: amount + seen.amount, namespace: seen.namespace })
        break
      }
      case 'erasing-counters':
        forget(counters, seen.namespace)
        break
    }
  }
  return { sessions, records, counters }
}

/** Several who write at once may be told in another order. */
function atLeast(expected: Map<string, Expected>, name: string, amount: number, namespace: string): void {
  expected.set(name, { amount: Math.max(amount, expected.get(name)?.amount ?? 0), namespace })
}

function forget(expected: Map<string, Expected>, subtree: string): void {
  const root = Namespace.parse(subtree)
  for (const [name, { namespace }] of expected) if (root.contains(Namespace.parse(namespace))) expected.delete(name)
}
