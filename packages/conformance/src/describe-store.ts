import { describe, it } from 'vitest'
import { inboxScenarios } from './store-suite/inbox.ts'
import { leaseScenarios } from './store-suite/lease.ts'
import { logScenarios } from './store-suite/log.ts'
import { metadataScenarios } from './store-suite/metadata.ts'
import { restartScenarios } from './store-suite/restart.ts'
import type { Scenario, StoreUnderTest } from './store-suite/scenario.ts'
import { sessionsScenarios } from './store-suite/sessions.ts'

export interface DescribeStoreOptions {
  /** What it holds outlives the object. @default true */
  readonly durable?: boolean
}

const TOPICS = {
  'the log': logScenarios,
  'the inbox': inboxScenarios,
  'the lease': leaseScenarios,
  metadata: metadataScenarios,
  'many sessions': sessionsScenarios,
}

/** Everything the contract of `Store` asks, as one suite: `describeStore('mine', async () => ({ store, advance, reopen }))`. */
export function describeStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { durable = true }: DescribeStoreOptions = {},
): void {
  const scenario: Scenario = (title, test) => {
    it(title, async () => {
      const tested = await open()
      try {
        await test(tested.store.sessions, tested)
      } finally {
        await tested.store[Symbol.asyncDispose]()
        await tested.dispose?.()
      }
    })
  }
  const topics = durable ? { ...TOPICS, 'a restart': restartScenarios } : TOPICS
  for (const [topic, register] of Object.entries(topics)) describe(`${name}: ${topic}`, () => register(scenario))
}
