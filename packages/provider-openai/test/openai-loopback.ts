import { LLMock } from '@copilotkit/aimock'
import {
  createRuntime,
  type ModelCallOptions,
  type ModelEvent,
  type ModelRequest,
  Namespace,
  type Provider,
  type RuntimeOptions,
} from '@orra/core'
import { type OpenAIOptions, openai } from '@orra/provider-openai'
import { expect } from 'vitest'
import { problemsInResponses } from './legal-responses-request.ts'

export const bob = Namespace.of('bob')

/** A request body as it went over the wire. */
interface ResponsesBody {
  readonly input: readonly Record<string, unknown>[]
  readonly tools?: readonly Record<string, unknown>[]
  readonly [key: string]: unknown
}

/** A model server on this machine, the real SDK in front of it, and what went between them, which has to be legal. */
export async function openaiLoopback(options: Partial<OpenAIOptions> = {}) {
  const server = new LLMock({ port: 0, logLevel: 'silent' })
  const url = await server.start()
  const seen = watched(options.fetch ?? fetch)
  const provider = openai({
    model: 'gpt-5.2',
    apiKey: 'test-key',
    baseURL: `${url}/v1`,
    maxRetries: 0,
    ...options,
    fetch: seen.fetch,
  })
  return {
    server,
    provider,
    bodies: seen.bodies,
    runtime: (more: Partial<RuntimeOptions> = {}) => createRuntime({ provider, ...more }),
    async [Symbol.asyncDispose]() {
      await server.stop()
      expect(seen.problems).toEqual([])
    },
  }
}

/** A provider whose every call is answered with these bytes; what it sends has to be legal. */
export function played(answer: string | (() => Response), options: Partial<OpenAIOptions> = {}): Provider {
  const headers = { 'content-type': options.streaming === false ? 'application/json' : 'text/event-stream' }
  const seen = watched(async () => (typeof answer === 'string' ? new Response(answer, { headers }) : answer()))
  const provider = openai({ model: 'gpt-5.2', apiKey: 'test-key', maxRetries: 0, ...options, fetch: seen.fetch })
  return {
    ...provider,
    async *stream(request, call) {
      yield* provider.stream(request, call)
      expect(seen.problems).toEqual([])
    },
  }
}

function watched(send: typeof fetch) {
  const bodies: ResponsesBody[] = []
  const problems: string[] = []
  const seeing: typeof fetch = (input, init) => {
    const body = JSON.parse(String(init?.body))
    bodies.push(body)
    problems.push(...problemsInResponses(body))
    return send(input, init)
  }
  return { bodies, problems, fetch: seeing }
}

export function ask(text: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [], ...more }
}

export async function collect(
  provider: Provider,
  request: ModelRequest,
  options: ModelCallOptions = {},
): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request, options)) events.push(event)
  return events
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing thrown',
    (error: unknown) => error,
  )
}

export function sse(...events: readonly { readonly type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
