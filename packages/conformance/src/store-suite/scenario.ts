import type { SessionLog, Store } from '@orra/core'

/** A store to try, and what becomes of it. */
export interface StoreUnderTest {
  readonly store: Store
  /** The same data through a new store, as after a restart; for durable stores. */
  readonly reopen?: () => Promise<Store>
  /** Moves the store's clock. */
  readonly advance: (ms: number) => void
  readonly dispose?: () => Promise<void>
}

/** Registers one scenario, which gets a new store. */
export type Scenario = (title: string, test: (sessions: SessionLog, tested: StoreUnderTest) => Promise<void>) => void
