import type { TestContext } from 'vitest'
import type { StoreUnderTest, Test } from './store-suite/scenario.ts'
import { DURABLE_TOPICS, TOPICS } from './store-suite/topics.ts'
import { describeTopics } from './suite/describe-topics.ts'

export interface DescribeStoreOptions {
  /** What it holds outlives the object. @default true */
  readonly durable?: boolean
  /**
   * Scenarios that this store is known to fail, as `topic: title`, each with the reason. One that passes, or that there is
   * not, fails the suite. @default none
   */
  readonly gaps?: { readonly [scenario: string]: string }
}

const TIMEOUT_MS = 60_000

/**
 * Everything the contract of `Store` asks, as one suite: `describeStore('mine', async () => ({ store, advance, reopen }))`.
 * `open` gives a new, empty store for each scenario; it is closed and disposed of afterwards.
 */
export function describeStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { durable = true, gaps = {} }: DescribeStoreOptions = {},
): void {
  describeTopics(name, durable ? { ...TOPICS, ...DURABLE_TOPICS } : TOPICS, {
    gaps,
    timeoutMs: TIMEOUT_MS,
    run: (test, context) => withStore(open, context, test),
  })
}

async function withStore(open: () => Promise<StoreUnderTest>, { skip }: TestContext, test: Test): Promise<void> {
  const tested = await open()
  const { sessions, records, counters } = tested.store
  try {
    await test({ ...tested, sessions, records, counters, skip })
  } finally {
    await tested.store[Symbol.asyncDispose]()
    await tested.dispose?.()
  }
}
