import { approvalScenarios } from './approvals.ts'
import { clockScenarios } from './clock.ts'
import { compactionScenarios } from './compactions.ts'
import { conditionScenarios } from './conditions.ts'
import { counterListScenarios } from './counter-list.ts'
import { counterScenarios } from './counters.ts'
import { inboxScenarios } from './inbox.ts'
import { leaseScenarios } from './lease.ts'
import { logScenarios } from './log.ts'
import { metadataScenarios } from './metadata.ts'
import { noticeScenarios } from './notices.ts'
import { pendingScenarios } from './pending.ts'
import { pinScenarios } from './pins.ts'
import { processScenarios } from './processes.ts'
import { raceScenarios } from './races.ts'
import { recordListScenarios } from './record-list.ts'
import { recordScenarios } from './records.ts'
import { restartScenarios } from './restart.ts'
import type { Topic } from './scenario.ts'
import { searchScenarios } from './search.ts'
import { sessionsScenarios } from './sessions.ts'
import { signalScenarios } from './signals.ts'
import { suspensionScenarios } from './suspensions.ts'
import { twoStoreScenarios } from './two-stores.ts'

/** What every store is asked. */
export const TOPICS: { readonly [topic: string]: Topic } = {
  'the log': logScenarios,
  'the inbox': inboxScenarios,
  'conditions of an append': conditionScenarios,
  'the lease': leaseScenarios,
  'an approval': approvalScenarios,
  'a suspended run': suspensionScenarios,
  'a compaction': compactionScenarios,
  'a pinned message': pinScenarios,
  'a race': raceScenarios,
  'the clock': clockScenarios,
  metadata: metadataScenarios,
  'many sessions': sessionsScenarios,
  'pending sessions': pendingScenarios,
  'a record': recordScenarios,
  'many records': recordListScenarios,
  'a search': searchScenarios,
  'a reservation': counterScenarios,
  'many counters': counterListScenarios,
  'an aborted signal': signalScenarios,
  'a notice': noticeScenarios,
}

/** What a store is asked besides when what it holds outlives the object. */
export const DURABLE_TOPICS: { readonly [topic: string]: Topic } = {
  'a restart': restartScenarios,
  'two stores on the same data': twoStoreScenarios,
  'several processes': processScenarios,
}
