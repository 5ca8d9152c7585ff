import { loopbackModelServer, type ModelServerStep } from '@orra/conformance/model-server'
import { createRuntime, defineTool, isOrraError, Namespace, type Provider } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { openai, openaiCompatible } from '@orra/provider-openai'
import { describe, expect, it } from 'vitest'

const bob = Namespace.of('user', 'bob')
const add = defineTool({ name: 'add', description: 'Adds 1 and 2.', readOnly: true, execute: () => '3' })

type Open = (url: string, streaming: boolean) => Provider
const settings = { model: 'model-1', apiKey: 'any', maxRetries: 0 } as const
const OPEN: { readonly [api: string]: Open } = {
  messages: (baseURL, streaming) => anthropic({ ...settings, baseURL, streaming }),
  responses: (url, streaming) => openai({ ...settings, baseURL: `${url}/v1`, streaming }),
  chat: (url, streaming) => openaiCompatible({ ...settings, baseURL: `${url}/v1`, streaming }),
}

async function serve(open: Open, steps: readonly ModelServerStep[], streaming = true) {
  const server = await loopbackModelServer(steps)
  const orra = createRuntime({ provider: open(server.url, streaming), tools: [add] })
  return {
    server,
    orra,
    async [Symbol.asyncDispose]() {
      await orra[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe.each(Object.entries(OPEN))('the loopback model server, asked for %s', (api, open) => {
  it.each([true, false])('serves an application with its own provider, streaming: %o', async (streaming) => {
    const steps: readonly ModelServerStep[] = [
      { reasoning: 'I should add.', toolCalls: [{ name: 'add', input: { a: 1 } }] },
      ({ body }) => `It is ${/"3"/.test(JSON.stringify(body)) ? 3 : 'unknown'}.`,
    ]
    await using app = await serve(open, steps, streaming)
    const { text, usage } = await app.orra.run(bob, 'What is 1 + 2?')
    expect(text).toBe('It is 3.')
    expect(usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
    expect(app.server.requests.map((request) => request.api)).toEqual([api, api])
    expect(app.server.requests[1]?.body['model']).toBe('model-1')
  })

  it.each([
    ['a refusal', { failure: 'unknown-key' }, 'provider.auth'],
    ['a broken connection', { text: 'It is three, I think.', breaks: true }, 'provider.connection'],
  ] as const)('fails as it is told: %s', async (_, step, code) => {
    for (const streaming of [true, false]) {
      await using app = await serve(open, [step], streaming)
      const failure = await app.orra.run(bob, 'What is 1 + 2?').catch((error: unknown) => error)
      expect(isOrraError(failure, code)).toBe(true)
    }
  })

  it('refuses what is beyond its script', async () => {
    await using app = await serve(open, ['Hello'])
    await app.orra.run(bob, 'Hello')
    const failure = await app.orra.run(bob, 'Hello?').catch((error: unknown) => error)
    expect(isOrraError(failure, 'provider.bad-request')).toBe(true)
    expect(String((failure as Error).cause)).toContain('The script has 1 steps and this is call 2; give it more.')
  })

  it('waits as it is told, and not for one who has gone', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const standing = () => {
      resolve()
      return { text: 'One two', after: new Promise(() => {}) }
    }
    await using app = await serve(open, [standing])
    const stop = new AbortController()
    const run = app.orra.run(bob, 'Count', { signal: stop.signal })
    await asked
    stop.abort(new Error('enough'))
    expect(await run).toMatchObject({ reason: 'aborted' })
  })
})

describe('the loopback model server', () => {
  it('has no other address', async () => {
    await using server = await loopbackModelServer(['Hello'])
    const { status } = await fetch(`${server.url}/v1/embeddings`, { method: 'POST', body: '{}' })
    expect([status, server.requests]).toEqual([404, []])
  })
})
