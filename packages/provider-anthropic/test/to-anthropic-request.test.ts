import type { ModelRequest } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RequestDefaults, toAnthropicRequest } from '../src/to-anthropic-request.ts'
import { problemsIn } from './legal-messages-request.ts'
import { collect, loopback } from './loopback.ts'
import { heavyRequests, modelRequests } from './model-requests.ts'

const plain: RequestDefaults = { model: 'claude-sonnet-5', maxOutputTokens: 16_000, promptCaching: true }
const defaults: fc.Arbitrary<RequestDefaults> = fc.constantFrom<RequestDefaults>(
  plain,
  { ...plain, promptCaching: false, effort: 'low' },
  { ...plain, thinking: { type: 'enabled', budget_tokens: 1024 } },
  { ...plain, thinking: { type: 'enabled', budget_tokens: 15_000 } },
  { ...plain, thinking: { type: 'adaptive' } },
)

/** Whatever writes to it, throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

describe('any request at all', () => {
  it.each([
    ['of any parts in any order', modelRequests, 2000],
    ['of media as large as can be', heavyRequests, 6],
  ])(
    '%s becomes a legal one, always the same, and stays as it is',
    (_, requests, numRuns) => {
      const property = fc.property(requests, defaults, (request, options) => {
        const again = structuredClone(request)
        const body = toAnthropicRequest(frozen(request), frozen(options))
        expect(problemsIn(body)).toEqual([])
        const json = JSON.stringify(body)
        expect(JSON.stringify(toAnthropicRequest(request, options)) === json).toBe(true)
        expect(JSON.stringify(toAnthropicRequest(again, options)) === json).toBe(true)
      })
      fc.assert(property, { numRuns })
    },
    60_000,
  )
})

describe('over the wire', () => {
  it('a sample of all requests is taken', async () => {
    await using api = await loopback()
    api.server.onMessage(/.*/, { content: 'ok' })
    api.server.on({ hasToolResult: true }, { content: 'ok' })
    const sample: readonly ModelRequest[] = fc.sample(modelRequests, { numRuns: 40, seed: 7 })
    for (const request of sample) {
      expect((await collect(api.provider, request)).at(-1)).toMatchObject({ type: 'finish', stopReason: 'stop' })
    }
    expect(api.bodies).toHaveLength(sample.length)
  })
})
