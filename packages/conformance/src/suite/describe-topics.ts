import { describe, it, type TestContext } from 'vitest'
import { failing, gapsOfNothing, type Skippable } from './known-gap.ts'

/** Registers scenarios, each with a title that no other of the topic has. */
export type TopicOf<Tested> = (scenario: (title: string, test: (tested: Tested) => Promise<void>) => void) => void

/** Scenarios known to fail, as `topic: title`, each with the reason. */
interface Gaps {
  readonly [scenario: string]: string
}

export interface TopicsOptions<Tested> {
  readonly gaps: Gaps
  readonly timeoutMs: number
  /** Runs one test on what it needs, and tidies up after it. */
  readonly run: (test: (tested: Tested) => Promise<void>, context: TestContext) => Promise<void>
}

/** A suite: its topics with their scenarios, of which known gaps have to fail. */
export function describeTopics<Tested extends Skippable>(
  name: string,
  topics: { readonly [topic: string]: TopicOf<Tested> },
  { gaps, timeoutMs, run }: TopicsOptions<Tested>,
): void {
  const places: string[] = []
  for (const [topic, register] of Object.entries(topics)) {
    describe(`${name}: ${topic}`, () => {
      register((title, test) => {
        const place = `${topic}: ${title}`
        if (places.includes(place)) throw new Error(`Two scenarios have the title "${title}".`)
        places.push(place)
        const gap = gaps[place]
        const told = gap === undefined ? title : `${title} (known gap: ${gap})`
        const tried = gap === undefined ? test : failing(place, test)
        it(told, { timeout: timeoutMs }, (context) => run(tried, context))
      })
    })
  }
  for (const place of gapsOfNothing(gaps, places)) {
    it(`${name}: the known gap "${place}" names a scenario`, () => {
      throw new Error('There is no such scenario; take it out of "gaps", or write its topic and title as they are.')
    })
  }
}
