import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { anthropic } from '@orra/provider-anthropic'
import { Dispatcher, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { ask, collect, failureOf, sse } from './loopback.ts'

/** A server of one answer, and the provider as an application makes it. */
async function serving(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const provider = anthropic({ model: 'm', apiKey: 'k', baseURL: `http://127.0.0.1:${port}`, maxRetries: 0 })
  return {
    provider,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const usage = { input_tokens: 1, output_tokens: 1 }
const message = { id: 'm', type: 'message', role: 'assistant', model: 'claude', content: [], stop_reason: null, usage }
const start = sse(
  { type: 'message_start', message } as never,
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never,
)
const delta = (text: string) =>
  sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never)
const end = sse({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage } as never, { type: 'message_stop' })
const stream = { 'content-type': 'text/event-stream; charset=utf-8' }

describe('over the wire', () => {
  it('a character that is split between two packets stays whole', async () => {
    const bytes = Buffer.from(start + delta('日本 😀') + end)
    await using api = await serving((_, response) => {
      response.writeHead(200, stream)
      let at = 0
      const next = () => {
        if (at >= bytes.length) response.end()
        else response.write(bytes.subarray(at, ++at), next)
      }
      next()
    })
    expect((await collect(api.provider, ask('Hello'))).at(-1)).toMatchObject({
      message: { content: [{ type: 'text', text: '日本 😀' }] },
    })
  })

  it('a connection that is cut in the middle is an error worth trying again', async () => {
    await using api = await serving((_, response) => {
      response.writeHead(200, stream)
      response.write(start + delta('Half'), () => response.destroy())
    })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({
      code: 'provider.connection',
      retryable: true,
    })
  })

  it('leaving, or stopping, closes the connection', async () => {
    for (const how of ['leave', 'stop'] as const) {
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      await using api = await serving((_, response) => {
        response.on('close', resolve)
        response.writeHead(200, stream)
        response.write(start + delta('Hi'))
      })
      const stop = new AbortController()
      const reason = new Error('enough')
      const reading = async () => {
        for await (const event of api.provider.stream(ask('Hello'), { signal: stop.signal })) {
          if (event.type !== 'text-delta') continue
          if (how === 'leave') break
          stop.abort(reason)
        }
      }
      expect(await failureOf(reading())).toBe(how === 'leave' ? 'nothing thrown' : reason)
      await closed
    }
  })

  it('stopping before the answer begins closes the connection', async () => {
    const { promise: asked, resolve: arrived } = Promise.withResolvers<void>()
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    await using api = await serving((_, response) => {
      response.on('close', resolve)
      arrived()
    })
    const stop = new AbortController()
    const reading = failureOf(collect(api.provider, ask('Hello'), stop.signal))
    await asked
    stop.abort(new Error('enough'))
    expect(await reading).toMatchObject({ message: 'enough' })
    await closed
  })

  it('stopping while there is no connection yet is heeded at once', async () => {
    const before = getGlobalDispatcher()
    const { promise: dispatched, resolve } = Promise.withResolvers<void>()
    class NeverConnects extends Dispatcher {
      override dispatch() {
        resolve()
        return true
      }
    }
    setGlobalDispatcher(new NeverConnects())
    try {
      const stop = new AbortController()
      const provider = anthropic({ model: 'm', apiKey: 'k', maxRetries: 0 })
      const reading = failureOf(collect(provider, ask('Hello'), stop.signal))
      await dispatched
      stop.abort(new Error('enough'))
      expect(await reading).toMatchObject({ message: 'enough' })
    } finally {
      setGlobalDispatcher(before)
    }
  })

  it.each([
    [401, 'provider.auth'],
    [429, 'provider.rate-limited'],
    [502, 'provider.unavailable'],
    [302, 'provider.unknown-model'],
  ])('a %i with a proxy’s page is %s', async (status, code) => {
    await using api = await serving((_, response) => {
      response.writeHead(status, { 'content-type': 'text/html', location: '/', 'retry-after': '3' })
      response.end('<html>No.</html>')
    })
    expect(await failureOf(collect(api.provider, ask('Hello')))).toMatchObject({ code })
  })

  it('asks for no compression, and so gets none', async () => {
    let asked: string | undefined
    await using api = await serving((request, response) => {
      asked = String(request.headers['accept-encoding'] ?? '')
      const zipped = /gzip/.test(asked)
      response.writeHead(200, { ...stream, ...(zipped ? { 'content-encoding': 'gzip' } : {}) })
      response.end(zipped ? gzipSync(start + end) : start + delta('Plain') + end)
    })
    expect((await collect(api.provider, ask('Hello'))).at(-1)).toMatchObject({
      message: { content: [{ text: 'Plain' }] },
    })
    expect(asked).not.toContain('gzip')
  })
})
