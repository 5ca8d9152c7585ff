import { isOrraError, type OrraError, type Provider } from '@orra/core'
import { expect } from 'vitest'
import { says } from './answers.ts'
import { ask } from './asked.ts'
import { expectNothingTold, thrownBy } from './heard.ts'
import { KEY, needs, type Scenario, type Tested } from './scenario.ts'

/** What a provider signs in with. */
export function keyScenarios(scenario: Scenario): void {
  scenario('that is missing is told with the setting that it is missing in, and nothing is sent', async (tested) => {
    needs(tested, 'key')
    const { failure, calls } = await tryKey(tested, '')
    expect(failure).toMatchObject({ code: 'provider.unconfigured', retryable: false })
    const { setting } = failure.details as { readonly setting: string }
    expect(setting).toMatch(/\w/)
    expect(failure.message).toContain(setting)
    expect(calls).toHaveLength(0)
  })

  scenario('that cannot be one is told, and no part of it', async (tested) => {
    needs(tested, 'key')
    for (const apiKey of [KEY.replace('-7', '\n-7'), `“${KEY}”`]) {
      const { failure, calls } = await tryKey(tested, apiKey)
      expect(failure.code).toBe('provider.unconfigured')
      expectNothingTold(failure)
      expect(calls).toHaveLength(0)
    }
  })
}

/** A provider may tell when it is made, or when it is used. */
async function tryKey({ serve, wire }: Tested, apiKey: string) {
  let provider: Provider | undefined
  let calls: readonly unknown[] = []
  const error = await (async () => {
    const served = serve(says(wire, { text: ['Yes.'] }), { apiKey })
    provider = served.provider
    calls = served.calls
    return thrownBy(provider, ask())
  })().catch((thrown: unknown) => thrown)
  if (!isOrraError(error)) throw new Error('What was thrown is no error of orra.', { cause: error })
  return { failure: error as OrraError, calls }
}
