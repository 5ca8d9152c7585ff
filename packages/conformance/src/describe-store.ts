import { describe, it, type TestContext } from 'vitest'
import { failing, gapsOfNothing } from './store-suite/known-gap.ts'
import type { StoreUnderTest, Test, Topic } from './store-suite/scenario.ts'
import { DURABLE_TOPICS, TOPICS } from './store-suite/topics.ts'

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
  const topics = Object.entries(durable ? { ...TOPICS, ...DURABLE_TOPICS } : TOPICS).map(
    ([topic, register]) => [topic, scenariosOf(register)] as const,
  )
  for (const [topic, scenarios] of topics) {
    describe(`${name}: ${topic}`, () => {
      for (const [title, test] of scenarios) {
        const place = `${topic}: ${title}`
        const gap = gaps[place]
        const told = gap === undefined ? title : `${title} (known gap: ${gap})`
        const tried = gap === undefined ? test : failing(place, test)
        it(told, { timeout: TIMEOUT_MS }, (context) => withStore(open, context, tried))
      }
    })
  }
  const places = topics.flatMap(([topic, scenarios]) => Array.from(scenarios.keys(), (title) => `${topic}: ${title}`))
  for (const place of gapsOfNothing(gaps, places)) {
    it(`${name}: the known gap "${place}" names a scenario`, () => {
      throw new Error('There is no such scenario; take it out of "gaps", or write its topic and title as they are.')
    })
  }
}

function scenariosOf(register: Topic): ReadonlyMap<string, Test> {
  const scenarios = new Map<string, Test>()
  register((title, test) => {
    if (scenarios.has(title)) throw new Error(`Two scenarios have the title "${title}".`)
    scenarios.set(title, test)
  })
  return scenarios
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
