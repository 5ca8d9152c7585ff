import { checkOptions, type OptionNames } from '../options.ts'
import { localNotices } from './local-notices.ts'
import { memoryCounters } from './memory-counters.ts'
import { memoryRecords } from './memory-records.ts'
import { memorySessions } from './memory-sessions.ts'
import type { NotifyingStore } from './notices.ts'

export interface MemoryStoreOptions {
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** A store that lives and dies with this object: for tests, and for conversations that need not last. */
export function memoryStore(options: MemoryStoreOptions = {}): NotifyingStore {
  checkOptions('memoryStore', options, { now: true } satisfies OptionNames<MemoryStoreOptions>)
  const { now = Date.now } = options
  return {
    name: 'memory',
    sessions: memorySessions(now),
    records: memoryRecords(now),
    counters: memoryCounters(now),
    notices: localNotices(),
    [Symbol.asyncDispose]: async () => {},
  }
}
