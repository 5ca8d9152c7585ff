import { expect } from 'vitest'
import { bob } from './entries.ts'
import type { Scenario } from './scenario.ts'

/** Facts about a session. */
export function metadataScenarios(scenario: Scenario): void {
  scenario('is merged by name, and null removes', async ({ sessions }) => {
    await sessions.append(bob, [{ type: 'metadata', set: { title: 'One', mode: { a: [1] } } }])
    await sessions.append(bob, [{ type: 'metadata', set: { title: 'Two', mode: null, more: false } }])
    expect((await sessions.head(bob))?.metadata).toEqual({ title: 'Two', more: false })
  })
}
