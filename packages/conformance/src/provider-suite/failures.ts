import type { ErrorCode } from '@orra/core'
import { expect } from 'vitest'
import type { WireFailure } from '../wire/model-wire.ts'
import { served } from './answers.ts'
import { ask } from './asked.ts'
import { failureOf, SAID_BY_SERVER } from './heard.ts'
import type { Scenario, Tested } from './scenario.ts'

const CODES: { readonly [Kind in WireFailure]: readonly [code: ErrorCode, retryable: boolean] } = {
  'bad-request': ['provider.bad-request', false],
  'unknown-key': ['provider.auth', false],
  forbidden: ['provider.auth', false],
  'unknown-model': ['provider.unknown-model', false],
  'rate-limited': ['provider.rate-limited', true],
  internal: ['provider.unavailable', true],
  overloaded: ['provider.unavailable', true],
}
const KINDS = Object.keys(CODES) as readonly WireFailure[]

/** A page may also tell that nothing of this API is at the address. */
const PAGES: readonly (readonly [status: number, ...codes: readonly ErrorCode[]])[] = [
  [401, 'provider.auth'],
  [403, 'provider.auth', 'provider.bad-reply'],
  [404, 'provider.unknown-model', 'provider.bad-reply'],
  [413, 'provider.context-too-long'],
  [429, 'provider.rate-limited'],
  [500, 'provider.unavailable', 'provider.connection'],
  [502, 'provider.unavailable', 'provider.connection'],
  [503, 'provider.unavailable', 'provider.connection'],
]

/** What a server says no with. */
export function failureScenarios(scenario: Scenario): void {
  for (const kind of KINDS) {
    const [code, retryable] = CODES[kind]
    scenario(`of the kind ${kind} is ${code}`, async ({ serve, wire }) => {
      const reply = wire.failure(kind, SAID_BY_SERVER)
      const failure = await failureOf(serve(() => served(reply)).provider, ask(), [code])
      expect(failure).toMatchObject({ retryable, details: { status: reply.status } })
    })
  }

  for (const kind of ['rate-limited', 'overloaded'] as const) {
    scenario(`of the kind ${kind} says how long to wait, where the server does`, async ({ serve, wire }) => {
      const after = async (value: string | undefined) => {
        const reply = served(wire.failure(kind, SAID_BY_SERVER))
        const headers = { ...reply.headers, ...(value === undefined ? {} : { 'retry-after': value }) }
        const { details } = await failureOf(serve(() => ({ ...reply, headers })).provider, ask(), [CODES[kind][0]])
        return (details as { readonly retryAfterMs?: number }).retryAfterMs
      }
      expect(await after('7')).toBe(7000)
      expect(await after('3600')).toBe(3_600_000)
      expect(await after('soon')).toBeUndefined()
      expect(await after(undefined)).toBeUndefined()
      const date = await after(new Date(Date.now() + 3_600_000).toUTCString())
      expect(date).toBeGreaterThan(3_500_000)
      expect(date).toBeLessThanOrEqual(3_600_000)
    })
  }

  scenario('of a request that is too long is told apart, in all its words', async ({ serve, wire }) => {
    let told = 0
    let ways = 1
    const { provider } = serve((call) => {
      const replies = wire.tooLong(call)
      const reply = replies[told++]
      if (!reply) throw new Error('The wire has to tell at least one way.')
      ways = replies.length
      return served(reply)
    })
    while (told < ways) {
      const failure = await failureOf(provider, ask(), ['provider.context-too-long'])
      expect(failure.retryable).toBe(false)
    }
  })

  scenario('whose body is a proxy’s page is known by its status', async (tested) => {
    for (const [status, ...codes] of PAGES) await checkPage(tested, status, codes)
  })

  scenario('without a body is known by its status', async ({ serve }) => {
    for (const [status, code] of [
      [401, 'provider.auth'],
      [429, 'provider.rate-limited'],
      [500, 'provider.unavailable'],
    ] as const) {
      await failureOf(serve(() => ({ status, headers: {}, body: [] })).provider, ask(), [code])
    }
  })
}

async function checkPage({ serve }: Tested, status: number, codes: readonly ErrorCode[]): Promise<void> {
  const body = [`<html><head><title>${status}</title></head><body>${SAID_BY_SERVER}</body></html>`]
  const { provider } = serve(() => ({ status, headers: { 'content-type': 'text/html' }, body }))
  const failure = await failureOf(provider, ask(), codes)
  expect(failure).toMatchObject({ retryable: status === 429 || status >= 500, details: { status } })
}
