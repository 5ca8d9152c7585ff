import { LLMock } from '@copilotkit/aimock'
import {
  createRuntime,
  type ModelEvent,
  type ModelRequest,
  Namespace,
  type Provider,
  type RuntimeOptions,
} from '@orra/core'
import { type AnthropicOptions, anthropic } from '@orra/provider-anthropic'
import { expect } from 'vitest'
import { undiciFetch } from '../src/undici-fetch.ts'
import { problemsIn } from './legal-messages-request.ts'

export const bob = Namespace.of('bob')

/** A request body as it went over the wire. */
interface WireBody {
  readonly system?: unknown
  readonly tools?: readonly object[]
  readonly messages: readonly { readonly role: string; readonly content: readonly Record<string, unknown>[] }[]
  readonly [key: string]: unknown
}

/** A model server on this machine, the real SDK in front of it, and what went between them, which has to be legal. */
export async function loopback(options: Partial<AnthropicOptions> = {}) {
  const server = new LLMock({ port: 0, logLevel: 'silent' })
  const url = await server.start()
  const bodies: WireBody[] = []
  const problems: string[] = []
  const provider = anthropic({
    model: 'claude-sonnet-5',
    apiKey: 'test-key',
    baseURL: url,
    maxRetries: 0,
    fetch: (input, init) => {
      const body = JSON.parse(String(init?.body))
      bodies.push(body)
      problems.push(...problemsIn(body))
      return undiciFetch(input, init)
    },
    ...options,
  })
  return {
    server,
    provider,
    bodies,
    runtime: (more: Partial<RuntimeOptions> = {}) => createRuntime({ provider, ...more }),
    async [Symbol.asyncDispose]() {
      await server.stop()
      expect(problems).toEqual([])
    },
  }
}

export function ask(text: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [], ...more }
}

export async function collect(
  provider: Provider,
  request: ModelRequest,
  signal?: AbortSignal,
): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request, { signal })) events.push(event)
  return events
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing thrown',
    (error: unknown) => error,
  )
}

/** A server that answers every call with these bytes. */
export function wire(body: string | ReadableStream<Uint8Array>, init: ResponseInit = {}): typeof fetch {
  return async () => new Response(body, { headers: { 'content-type': 'text/event-stream' }, ...init })
}

export function sse(...events: readonly { readonly type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
