import { expect } from 'vitest'
import { ask } from './asked.ts'
import { heard } from './heard.ts'
import { needs, type Scenario, type Tested } from './scenario.ts'

const NONE = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

/** What a reply costs. */
export function usageScenarios(scenario: Scenario): void {
  const usageOf = async ({ serve, wire }: Tested, usage: typeof NONE | undefined) => {
    const { provider } = serve((call) => {
      const { pieces, ...reply } = wire.reply({ model: 'model-1', text: ['Yes.'], ...(usage ? { usage } : {}) }, call)
      return { ...reply, body: pieces }
    })
    return (await heard(provider, ask())).usage
  }

  scenario('is what was sent and what was made', async (tested) => {
    const usage = { ...NONE, inputTokens: 1130, outputTokens: 47 }
    expect(await usageOf(tested, usage)).toEqual(usage)
  })

  scenario('counts what was read from a cache in what was sent', async (tested) => {
    needs(tested, 'cache-reads')
    const usage = { ...NONE, inputTokens: 1130, outputTokens: 47, cacheReadTokens: 1000 }
    expect(await usageOf(tested, usage)).toEqual(usage)
  })

  scenario('counts what was written to a cache in what was sent', async (tested) => {
    needs(tested, 'cache-reads', 'cache-writes')
    const usage = { ...NONE, inputTokens: 1130, outputTokens: 47, cacheReadTokens: 1000, cacheWriteTokens: 100 }
    expect(await usageOf(tested, usage)).toEqual(usage)
  })

  scenario('is nothing, or an estimate, where the server leaves it out', async (tested) => {
    const { inputTokens, outputTokens, ...cached } = await usageOf(tested, undefined)
    expect(cached).toEqual({ cacheReadTokens: 0, cacheWriteTokens: 0 })
    expect(inputTokens).toBeLessThan(1000)
    expect(outputTokens).toBeLessThan(1000)
  })
}
