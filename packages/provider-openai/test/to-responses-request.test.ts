import type { ModelRequest } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RequestDefaults, toResponsesRequest } from '../src/responses/to-responses-request.ts'
import { problemsInResponses } from './legal-responses-request.ts'
import { collect, openaiLoopback } from './openai-loopback.ts'
import { heavyRequests, modelRequests } from './responses-requests.ts'

const plain: RequestDefaults = { model: 'gpt-5.2', store: false }
const defaults: fc.Arbitrary<RequestDefaults> = fc.constantFrom<RequestDefaults>(
  plain,
  { ...plain, store: true, maxOutputTokens: 5 },
  { ...plain, reasoning: { effort: 'low', summary: 'auto' }, verbosity: 'low', promptCacheKey: 'k' },
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
    ['of media as large as can be', heavyRequests, 5],
  ])(
    '%s becomes a legal one, always the same, and stays as it is',
    (_, requests, numRuns) => {
      const property = fc.property(requests, defaults, (request, options) => {
        const again = structuredClone(request)
        const body = toResponsesRequest(frozen(request), frozen(options))
        expect(problemsInResponses(body)).toEqual([])
        const json = JSON.stringify(body)
        expect(JSON.stringify(toResponsesRequest(request, options)) === json).toBe(true)
        expect(JSON.stringify(toResponsesRequest(again, options)) === json).toBe(true)
      })
      fc.assert(property, { numRuns })
    },
    60_000,
  )

  it('keeps what was sent before as it was when messages follow, for the cache', () => {
    const property = fc.property(modelRequests, (request) => {
      const { messages } = request
      // Where a call waits for its result, the result that comes later changes what stands there.
      const upTo = messages.findLastIndex(({ role }) => role === 'user')
      if (upTo < 0) return
      const before = toResponsesRequest({ ...request, messages: messages.slice(0, upTo) }, plain)
      const input = toResponsesRequest(request, plain).input as readonly object[]
      const isAnswered = messages.slice(upTo).every(({ role }) => role !== 'tool')
      if (!isAnswered || JSON.stringify(before).includes('[Go on.]')) return
      expect(JSON.stringify(input).startsWith(JSON.stringify(before.input).slice(0, -1))).toBe(true)
    })
    fc.assert(property, { numRuns: 300 })
  })
})

describe('over the wire', () => {
  it('a sample of all requests is taken', async () => {
    await using api = await openaiLoopback()
    api.server.onMessage(/.*/, { content: '{}' })
    api.server.on({ hasToolResult: true }, { content: '{}' })
    // The server on this machine takes no larger bodies.
    const isSmall = (request: ModelRequest) => JSON.stringify(request).length < 5_000_000
    const sample: readonly ModelRequest[] = fc.sample(modelRequests.filter(isSmall), { numRuns: 40, seed: 7 })
    for (const request of sample) {
      expect((await collect(api.provider, request)).at(-1)).toMatchObject({ type: 'finish', stopReason: 'stop' })
    }
    expect(api.bodies).toHaveLength(sample.length)
  })
})
