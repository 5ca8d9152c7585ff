import { LLMock } from '@copilotkit/aimock'
import { createRuntime, Namespace, type RuntimeOptions } from '@orra/core'
import { type OpenAICompatibleOptions, openaiCompatible } from '@orra/provider-openai'
import { expect } from 'vitest'
import { chatProblemsIn } from './legal-chat-request.ts'

export const bob = Namespace.of('bob')

/** A request body as it went over the wire. */
interface WireBody {
  readonly messages: readonly {
    readonly role: string
    readonly content: unknown
    readonly tool_calls?: readonly { readonly id: string; readonly function: object }[]
    readonly tool_call_id?: string
  }[]
  readonly tools?: readonly object[]
  readonly [key: string]: unknown
}

/** A model server on this machine, the real SDK in front of it, and what went between them, which has to be legal. */
export async function compatibleLoopback(options: Partial<OpenAICompatibleOptions> = {}) {
  const mock = new LLMock({ port: 0, logLevel: 'silent' })
  const url = await mock.start()
  const bodies: WireBody[] = []
  const headers: Headers[] = []
  const problems: string[] = []
  const provider = openaiCompatible({
    model: 'qwen3',
    baseURL: `${url}/v1`,
    maxRetries: 0,
    fetch: (input, init) => {
      const body = JSON.parse(String(init?.body))
      bodies.push(body)
      headers.push(new Headers(init?.headers))
      problems.push(...chatProblemsIn(body))
      return fetch(input, init)
    },
    ...options,
  })
  return {
    mock,
    provider,
    bodies,
    headers,
    runtime: (more: Partial<RuntimeOptions> = {}) => createRuntime({ provider, ...more }),
    async [Symbol.asyncDispose]() {
      await mock.stop()
      expect(problems).toEqual([])
    },
  }
}
