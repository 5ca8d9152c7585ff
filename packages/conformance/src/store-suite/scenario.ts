import type { Counters, JsonValue, Records, SessionLog, Store } from '@orra/core'

/** A store to try, and what becomes of it. */
export interface StoreUnderTest {
  readonly store: Store
  /** The same data through a further store, as another process or a restart would have it; for durable stores. */
  readonly reopen?: () => Promise<Store>
  /** Moves the store's clock, back when `ms` is below 0. */
  readonly advance: (ms: number) => void
  readonly dispose?: () => Promise<void>
  /** How another process opens the same data, or why none can; for durable stores. */
  readonly processes?: Processes
}

type Processes =
  /** The default export of `module` is a function of `argument` that returns the store, or a promise of it. */
  { readonly module: URL | string; readonly argument: JsonValue } | { readonly none: string }

/** What a scenario gets: a new store, its parts at hand. */
export interface Tested extends StoreUnderTest {
  readonly sessions: SessionLog
  readonly records: Records
  readonly counters: Counters
  /** Ends the scenario: it asks for an ability that this store does not have. */
  readonly skip: (reason: string) => never
}

export type Test = (tested: Tested) => Promise<void>

/** Registers one scenario. */
export type Scenario = (title: string, test: Test) => void

/** Registers the scenarios of one topic. */
export type Topic = (scenario: Scenario) => void

/** The same data through a further store. */
export async function reopened({ reopen }: StoreUnderTest): Promise<Store> {
  if (!reopen) throw new Error('A durable store is tried with "reopen"; else say { durable: false }.')
  return reopen()
}
