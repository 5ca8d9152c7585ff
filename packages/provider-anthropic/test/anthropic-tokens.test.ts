import type { ModelRequest } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { anthropicTokens } from '@orra/provider-anthropic/tokens'
import { describe, expect, it } from 'vitest'
import { problemsIn } from './legal-messages-request.ts'
import { ask, collect, failureOf, wire } from './loopback.ts'
import { png } from './media.ts'

const options = { model: 'claude-sonnet-5', apiKey: 'k', maxRetries: 0 } as const

/** Answers in JSON, and keeps what it was asked. */
function answering(answer: unknown, status = 200) {
  const asked: { url: string; body: Record<string, unknown>; headers: Headers }[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push({ url: String(input), body: JSON.parse(String(init?.body)), headers: new Headers(init?.headers) })
    return Response.json(answer, { status })
  }
  return { fetch, asked }
}

const request: ModelRequest = {
  instructions: 'Be brief.',
  tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }],
  maxOutputTokens: 5000,
  messages: [
    { role: 'user', content: [{ type: 'image', mediaType: 'image/png', data: png(40, 40) }] },
    { role: 'assistant', content: [{ type: 'tool-call', callId: 'call:1', name: 'look', input: {} }] },
  ],
}

describe('counting a request', () => {
  it('asks Anthropic about the very request that would be sent', async () => {
    const { fetch, asked } = answering({ input_tokens: 321 })
    const thinking = { type: 'enabled', budget_tokens: 2048 } as const
    const all = { ...options, fetch, thinking, effort: 'low', temperature: 1, headers: { 'x-team': 'red' } } as const
    expect(await anthropicTokens(all).countRequest(request)).toBe(321)
    expect(new URL(asked[0]?.url ?? '').pathname).toBe('/v1/messages/count_tokens')
    expect(asked[0]?.headers.get('x-team')).toBe('red')

    await failureOf(collect(anthropic({ ...all, promptCaching: false }), request))
    const { max_tokens: most, temperature, stream, ...sent } = asked[1]?.body ?? {}
    expect({ most, temperature, stream }).toEqual({ most: 5000, temperature: 1, stream: true })
    expect(asked[0]?.body).toEqual(sent)
    expect(problemsIn({ ...asked[0]?.body, max_tokens: most })).toEqual([])
  })

  it('asks about another model when the request names one', async () => {
    const { fetch, asked } = answering({ input_tokens: 1 })
    await anthropicTokens({ ...options, fetch }).countRequest(ask('Hello', { model: 'claude-opus-5' }))
    expect(asked[0]?.body).toEqual({
      model: 'claude-opus-5',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    })
  })

  it.each([
    [401, 'authentication_error', 'provider.auth'],
    [413, 'request_too_large', 'provider.context-too-long'],
    [429, 'rate_limit_error', 'provider.rate-limited'],
    [500, 'api_error', 'provider.unavailable'],
  ])('fails as a model call fails: %i', async (status, type, code) => {
    const { fetch } = answering({ type: 'error', error: { type, message: 'secret words' } }, status)
    const failure = await failureOf(anthropicTokens({ ...options, fetch }).countRequest(ask('Hello')))
    expect(failure).toMatchObject({ code, details: { provider: 'anthropic', status } })
    expect((failure as Error).message).not.toContain('secret')
  })

  it('takes nothing for an answer that is none', async () => {
    for (const answer of [{}, { input_tokens: 'many' }, { input_tokens: 1.5 }]) {
      const { fetch } = answering(answer)
      expect(await failureOf(anthropicTokens({ ...options, fetch }).countRequest(ask('Hello')))).toMatchObject({
        code: 'provider.bad-reply',
      })
    }
    const page = wire('<html>', { headers: { 'content-type': 'text/html' } })
    expect(await failureOf(anthropicTokens({ ...options, fetch: page }).countRequest(ask('Hello')))).toMatchObject({
      code: 'provider.bad-reply',
    })
  })

  it('can be stopped', async () => {
    const asked = Promise.withResolvers<void>()
    const never: typeof fetch = (_, init) => {
      asked.resolve()
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    }
    const stop = new AbortController()
    const reason = new Error('enough')
    const counting = anthropicTokens({ ...options, fetch: never }).countRequest(ask('Hello'), { signal: stop.signal })
    const failure = failureOf(counting)
    await asked.promise
    stop.abort(reason)
    expect(await failure).toBe(reason)
  })

  it.each([
    ['a missing model', { apiKey: 'k' }],
    ['a misspelt name', { model: 'm', apikey: 'k' }],
  ])('tells at once of an option that is wrong: %s', (_, wrong) => {
    expect(() => anthropicTokens(wrong as never)).toThrow(/^The option "/)
  })
})
