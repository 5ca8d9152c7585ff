import type { Message } from '@orra/core'
import { openai } from '@orra/provider-openai'
import { describe, expect, it, vi } from 'vitest'
import { ask, collect, failureOf, sse } from './openai-loopback.ts'
import { completed, created, message } from './reply-events.ts'

const NO_SEAL = { code: 'invalid_encrypted_content', message: 'The encrypted content could not be verified.' }
const NO_INCLUDE = { code: 'unsupported_value', param: 'include', message: 'No.' }
const NOT_SUPPORTED = { code: null, message: 'Encrypted content is not supported with this model.' }

/** Refuses in these words one after another, then answers. */
function refusing(errors: readonly object[], streaming: boolean) {
  const bodies: Record<string, unknown>[] = []
  const send: typeof fetch = async (_, init) => {
    const error = errors[bodies.length]
    bodies.push(JSON.parse(String(init?.body)))
    if (error) return Response.json({ error }, { status: 400 })
    const done = completed({ output: [message('Hi')] })
    return streaming ? new Response(sse(created, done)) : Response.json(done.response)
  }
  return { bodies, provider: openai({ model: 'gpt-5.2', apiKey: 'k', fetch: send, streaming }) }
}

const openaiData = { model: 'gpt-5.2', items: 2 }
const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] })
const thoughtful: readonly Message[] = [
  user('Hi'),
  {
    role: 'assistant',
    content: [
      {
        type: 'reasoning',
        text: 'Hm.',
        providerData: { openai: { ...openaiData, id: 'rs_1', encryptedContent: 'sealed' } },
      },
      { type: 'text', text: 'Ho', providerData: { openai: { ...openaiData, id: 'msg_1' } } },
    ],
  },
  user('And?'),
]
const thoughtless: readonly Message[] = [
  user('Hi'),
  { role: 'assistant', content: [{ type: 'text', text: 'Ho' }] },
  user('And?'),
]

describe.each([{ streaming: true }, { streaming: false }])('a request that is refused, with %o', ({ streaming }) => {
  it('for thoughts that cannot be opened goes again without any', async () => {
    const { bodies, provider } = refusing([NO_SEAL], streaming)
    const connected = vi.fn()
    const events = await collect(provider, ask('', { messages: thoughtful }), { connected })
    expect(events.at(-1)).toMatchObject({ type: 'finish', message: { content: [{ text: 'Hi' }] } })
    expect(JSON.stringify(bodies[0])).toContain('sealed')
    const plain = refusing([], streaming)
    await collect(plain.provider, ask('', { messages: thoughtless }))
    expect(bodies.slice(1)).toEqual(plain.bodies)
    expect(connected).toHaveBeenCalledTimes(1)
  })

  it.each([NO_INCLUDE, NOT_SUPPORTED])('for wanting thoughts goes again without: %o', async (error) => {
    const { bodies, provider } = refusing([error], streaming)
    await collect(provider, ask('Hi'))
    const { include, ...rest } = bodies[0] ?? {}
    expect(include).toEqual(['reasoning.encrypted_content'])
    expect(bodies.slice(1)).toEqual([rest])
  })

  it('for both goes a third time', async () => {
    const { bodies, provider } = refusing([NO_INCLUDE, NO_SEAL], streaming)
    await collect(provider, ask('', { messages: thoughtful }))
    expect(bodies.map((body) => ['include' in body, JSON.stringify(body).includes('sealed')])).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ])
  })

  it.each([
    ['for something else', [{ code: 'invalid_value', message: 'No.' }], 1],
    ['for the same again', [NO_SEAL, NO_SEAL], 2],
    ['for what it does not hold', [NO_INCLUDE, NO_INCLUDE], 2],
  ])('%s is a typed error', async (_, errors, tries) => {
    const { bodies, provider } = refusing(errors, streaming)
    const failure = await failureOf(collect(provider, ask('', { messages: thoughtful })))
    expect(failure).toMatchObject({ code: 'provider.bad-request', retryable: false })
    expect(bodies).toHaveLength(tries)
  })
})
