import type { Message } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { ask, calls, collect, compatible, DONE, end, sse, text, wholeOf } from './chat-wire.ts'
import { chatProblemsIn } from './legal-chat-request.ts'
import { png } from './media.ts'

const words = (said: string) => ({ type: 'text', text: said }) as const
const user = (said: string): Message => ({ role: 'user', content: [words(said)] })
const result = (callId: string, ...content: Extract<Message, { role: 'user' }>['content']): Message => ({
  role: 'tool',
  content: [{ type: 'tool-result', callId, name: 'look', content }],
})

async function sentFor(messages: readonly Message[], name = 'openai-compatible') {
  let json = ''
  const fetch: typeof globalThis.fetch = async (_, init) => {
    json = String(init?.body)
    return new Response(sse(text('ok'), end()), { headers: { 'content-type': 'text/event-stream' } })
  }
  await collect(compatible({ fetch, name }), { messages, tools: [] })
  const body = JSON.parse(json)
  expect(chatProblemsIn(body)).toEqual([])
  const sent: readonly { readonly tool_calls?: readonly { readonly id: string }[] }[] = body.messages
  return { json, messages: sent, ids: sent.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id)) }
}

describe('a conversation of another provider', () => {
  it('of Anthropic goes without its thoughts and signatures', async () => {
    const { json, messages, ids } = await sentFor([
      user('Rome?'),
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'I should look.', providerData: { anthropic: { signature: 'sig-1' } } },
          { type: 'reasoning', text: '', providerData: { anthropic: { redacted: 'opaque' } } },
          words('Let me look.'),
          { type: 'tool-call', callId: 'toolu_01A09q90qw90lq917835lq9', name: 'look', input: { city: 'Rome' } },
        ],
      },
      result('toolu_01A09q90qw90lq917835lq9', words('Sunny.')),
      {
        role: 'assistant',
        content: [{ type: 'reasoning', text: 'So.', providerData: { anthropic: {} } }, words('Sunny.')],
      },
      user('Thanks.'),
    ])
    expect(json).not.toMatch(/I should look|sig-1|opaque|So\.|providerData|anthropic/)
    const [id] = ids
    const called = { id, type: 'function', function: { name: 'look', arguments: '{"city":"Rome"}' } }
    expect(messages).toEqual([
      { role: 'user', content: 'Rome?' },
      { role: 'assistant', content: 'Let me look.', tool_calls: [called] },
      { role: 'tool', tool_call_id: id, content: 'Sunny.' },
      { role: 'assistant', content: 'Sunny.' },
      { role: 'user', content: 'Thanks.' },
    ])
  })

  it('of the Responses API goes without its items', async () => {
    const item = { openai: { id: 'rs_1', encrypted_content: 'opaque' } }
    const { json, messages, ids } = await sentFor([
      user('Rome?'),
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm.', providerData: item },
          { type: 'tool-call', callId: 'call_1', name: 'look', input: {}, providerData: { openai: { id: 'fc_1' } } },
          { type: 'tool-call', callId: 'call_2', name: 'look', input: {}, providerData: { openai: { id: 'fc_2' } } },
        ],
      },
      result('call_2', words('Rain.')),
      result('call_1', words('Sun.')),
    ])
    expect(json).not.toMatch(/Hm\.|opaque|rs_1|fc_1|openai/)
    expect(messages.slice(1)).toMatchObject([
      { role: 'assistant', content: null, tool_calls: [{}, {}] },
      { role: 'tool', tool_call_id: ids[0], content: 'Sun.' },
      { role: 'tool', tool_call_id: ids[1], content: 'Rain.' },
    ])
  })

  it('has ids that the strictest servers take, the same ones each time', async () => {
    const turn = (...callIds: readonly string[]): readonly Message[] => [
      {
        role: 'assistant',
        content: callIds.map((callId) => ({ type: 'tool-call', callId, name: 'look', input: {} }) as const),
      },
      ...callIds.map((callId) => result(callId, words(callId))),
    ]
    const first = [user('Rome?'), ...turn('toolu_01', 'call_1'), ...turn('AbCdEf123')]
    const { ids } = await sentFor(first)
    expect(ids[2]).toBe('AbCdEf123')
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/)
    const { ids: later, messages } = await sentFor([...first, ...turn('toolu_01', 'AbCdEf123', ids[0] ?? '')])
    expect(later.slice(0, 3)).toEqual(ids)
    for (const id of later) expect(id).toMatch(/^[A-Za-z0-9]{9}$/)
    expect(new Set(later).size).toBe(6)
    expect(messages.slice(-3)).toMatchObject([
      { tool_call_id: later[3], content: 'toolu_01' },
      { tool_call_id: later[4], content: 'AbCdEf123' },
      { tool_call_id: later[5], content: ids[0] },
    ])
    expect((await sentFor([user('Oslo?'), ...turn('call_1')])).ids).toEqual([ids[1]])
  })

  it('of another server goes without what that one wants back', async () => {
    const extra_content = { google: { thought_signature: 'sig-1' } }
    const called = calls({ index: 0, id: 'call_0', function: { name: 'look', arguments: '{}' }, extra_content })
    const body = sse(called, end('tool_calls')) + DONE
    const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const { message } = wholeOf(await collect(compatible({ fetch, name: 'gemini' }), ask('Rome?')))
    const history = [user('Rome?'), message]
    expect((await sentFor(history, 'gemini')).json).toContain('sig-1')
    expect((await sentFor(history, 'groq')).json).not.toContain('sig-1')
  })
})

describe('what chat messages cannot say', () => {
  it('of tools, the user shows after all of their results', async () => {
    const look = { type: 'tool-call', name: 'look', input: {} } as const
    const image = { type: 'image', mediaType: 'image/png', data: png(4, 4) } as const
    const { messages, ids } = await sentFor([
      user('Look!'),
      {
        role: 'assistant',
        content: [
          { ...look, callId: 'a' },
          { ...look, callId: 'b' },
        ],
      },
      result('a', words('A cat:'), image),
      result('b'),
      user('And?'),
    ])
    const url = `data:image/png;base64,${png(4, 4)}`
    expect(messages.slice(2)).toEqual([
      { role: 'tool', tool_call_id: ids[0], content: 'A cat:\n\n[The image (image/png) is shown below.]' },
      { role: 'tool', tool_call_id: ids[1], content: 'It gave nothing.' },
      {
        role: 'user',
        content: [
          words('[What the tools gave besides text:]'),
          { type: 'image_url', image_url: { url } },
          words('And?'),
        ],
      },
    ])
  })

  it('of files, words say', async () => {
    const content = [
      { type: 'file', mediaType: 'application/pdf', url: 'https://a.b/c.pdf' },
      { type: 'file', mediaType: 'text/plain', data: Buffer.from('Plain.').toString('base64'), name: 'a.txt' },
      { type: 'file', mediaType: 'application/msword', data: 'aGk=', name: 'a.doc' },
    ] as const
    const { messages } = await sentFor([{ role: 'user', content }])
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          '[The file (application/pdf) is at an address that this model cannot reach.]',
          '[What the file a.txt says:]\nPlain.',
          '[The file a.doc (application/msword) is empty or of a kind that this model cannot read.]',
        ].join('\n\n'),
      },
    ])
  })

  it('of a failure without words, words say', async () => {
    const failed = { type: 'tool-result', callId: 'a', name: 'look', content: [], isError: true } as const
    const { messages } = await sentFor([
      user('Look!'),
      { role: 'assistant', content: [{ type: 'tool-call', callId: 'a', name: 'look', input: 'no JSON' }] },
      { role: 'tool', content: [failed] },
    ])
    expect(messages.slice(1)).toMatchObject([
      { tool_calls: [{ function: { arguments: '{"input":"no JSON"}' } }] },
      { content: 'It failed without saying why.' },
    ])
  })

  it('of a conversation that begins or ends with the model, the user says', async () => {
    const { messages } = await sentFor([{ role: 'assistant', content: [words('Hi'), words('Bob')] }])
    expect(messages).toEqual([
      { role: 'user', content: '[What was said before is no longer shown.]' },
      { role: 'assistant', content: 'Hi\n\nBob' },
      { role: 'user', content: '[Go on.]' },
    ])
  })
})
