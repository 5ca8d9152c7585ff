import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { RecordKey } from '@orra/core'

/** What a process has seen happen, told before anything else can happen: of the store, only what it returned for. */
export type Witnessed =
  /** An append returned; the log of the session was so long. */
  | { readonly type: 'appended'; readonly namespace: string; readonly length: number }
  /** Sessions are about to be deleted; what of them was seen no longer counts. */
  | { readonly type: 'deleting-sessions'; readonly namespace: string; readonly descendants: boolean }
  | { readonly type: 'put'; readonly record: string; readonly namespace: string; readonly version: number }
  | { readonly type: 'deleting-record'; readonly record: string }
  | { readonly type: 'erasing-records'; readonly namespace: string }
  /** An amount was settled. */
  | { readonly type: 'settled'; readonly counter: string; readonly namespace: string; readonly amount: number }
  | { readonly type: 'erasing-counters'; readonly namespace: string }
  /** A tool is about to run. `once`: it may not run again for this call. */
  | { readonly type: 'tool'; readonly call: string; readonly once: boolean }
  /** The model was asked something that no model takes. */
  | { readonly type: 'illegal-request'; readonly problem: string }

/** Where processes write what they have seen: a file that outlives them. */
export interface Journal {
  write(witnessed: Witnessed): void
}

/** Each line is handed to the system at once, so that it is there when the process is killed next. */
export function openJournal(path: string): Journal {
  return { write: (witnessed) => appendFileSync(path, `${JSON.stringify(witnessed)}\n`) }
}

export function readJournal(path: string): readonly Witnessed[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Witnessed)
}

export function recordName({ collection, namespace, id }: Omit<RecordKey, 'namespace'> & { namespace: string }) {
  return JSON.stringify([collection, namespace, id])
}

export function counterName(namespace: string, counter: string, window: string): string {
  return JSON.stringify([namespace, counter, window])
}
