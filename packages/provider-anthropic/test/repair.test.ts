import type { AssistantMessage, Message, ModelRequest, ToolResultPart } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { type RequestDefaults, toAnthropicRequest } from '../src/to-anthropic-request.ts'
import { problemsIn } from './legal-messages-request.ts'

const text = (words: string) => ({ type: 'text', text: words }) as const
const user = (words: string): Message => ({ role: 'user', content: [text(words)] })
const call = (callId: string, name = 'look') => ({ type: 'tool-call', callId, name, input: {} }) as const
const assistant = (...content: AssistantMessage['content']): Message => ({ role: 'assistant', content })
const answer = (callId: string, words: string): Message => {
  const part: ToolResultPart = { type: 'tool-result', callId, name: 'look', content: [text(words)] }
  return { role: 'tool', content: [part] }
}
const signed = (signature?: string) =>
  ({
    type: 'reasoning',
    text: 'Hm.',
    providerData: { anthropic: signature === undefined ? {} : { signature } },
  }) as const

const look = { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } } as const

function bodyOf(
  messages: readonly Message[],
  more: Partial<ModelRequest> = {},
  options: Partial<RequestDefaults> = {},
) {
  const defaults = { model: 'm', maxOutputTokens: 4000, promptCaching: false, ...options }
  const body = toAnthropicRequest({ messages, tools: [look], ...more }, defaults)
  expect(problemsIn(body)).toEqual([])
  return body
}

/** A conversation in short: `a>` calls, `>a` is a result, `?a` one that is missing. */
function short(messages: readonly Message[]): readonly string[] {
  return bodyOf(messages).messages.map(({ role, content }) => {
    const blocks = (content as unknown as readonly Record<string, unknown>[]).map((block) => {
      if (block['type'] === 'tool_use') return `${block['id']}>`
      if (block['type'] === 'tool_result') return `${block['is_error'] ? '?' : '>'}${block['tool_use_id']}`
      return block['text'] ?? block['type']
    })
    return `${role}: ${blocks.join(' ')}`
  })
}

describe('a conversation in disorder', () => {
  it('has its results in the order of the calls, before anything else is said', () => {
    const messages = [user('Hi'), assistant(call('a'), call('b')), answer('b', 'B'), user('Quick!'), answer('a', 'A')]
    expect(short(messages)).toEqual(['user: Hi', 'assistant: a> b>', 'user: >a >b Quick!'])
  })

  it('has a late result where its call is, though the model spoke in between', () => {
    const messages = [
      user('Hi'),
      assistant(call('a')),
      user('Wait'),
      assistant(text('Yes?')),
      answer('a', 'A'),
      user('Go'),
    ]
    expect(short(messages)).toEqual(['user: Hi', 'assistant: a>', 'user: >a Wait', 'assistant: Yes?', 'user: Go'])
  })

  it('says of a missing result that it is missing', () => {
    expect(short([user('Hi'), assistant(call('a')), assistant(text('Well')), user('Go')])).toEqual([
      'user: Hi',
      'assistant: a>',
      'user: ?a',
      'assistant: Well',
      'user: Go',
    ])
    expect(short([user('Hi'), assistant(call('a'))])).toEqual(['user: Hi', 'assistant: a>', 'user: ?a'])
  })

  it('has words in the place of a result without its call, and of a second result', () => {
    const gone = '[What a tool answered stood here; its call is no longer part of this conversation.]'
    expect(short([answer('x', 'secret'), user('Hi')])).toEqual([`user: ${gone} Hi`])
    expect(short([user('Hi'), assistant(call('a')), answer('a', 'A'), answer('a', 'B')])).toEqual([
      'user: Hi',
      'assistant: a>',
      `user: >a ${gone}`,
    ])
  })

  it('tells calls apart that share an id', () => {
    const turn = (words: string) => [assistant(call('a'), call('a')), answer('a', words), answer('a', words)]
    const messages = [user('Hi'), assistant(call('a-1')), answer('a-1', 'A'), ...turn('B'), ...turn('C')]
    expect(short(messages)).toEqual([
      'user: Hi',
      'assistant: a-1>',
      'user: >a-1',
      'assistant: a> a-2>',
      'user: >a >a-2',
      'assistant: a-3> a-4>',
      'user: >a-3 >a-4',
    ])
  })

  it('begins and ends with the user', () => {
    const before = '[What was said before is no longer shown.]'
    expect(short([assistant(text('Hi'))])).toEqual([`user: ${before}`, 'assistant: Hi', 'user: [Go on.]'])
    expect(short([])).toEqual([`user: ${before}`])
    expect(short([user(' \n'), assistant(text(''))])).toEqual([`user: ${before}`])
  })

  it('keeps thinking whole or not at all', () => {
    const thinkingOf = (...content: AssistantMessage['content']) =>
      short([user('Hi'), assistant(...content), user('Go')])[1]
    expect(thinkingOf(signed('s'), text('Ho'), signed('t'), text('Ha'))).toBe('assistant: thinking Ho thinking Ha')
    expect(thinkingOf(signed('s'), signed(), text('Ho'))).toBe('assistant: Ho')
    expect(thinkingOf(signed('s'), text('Ho'), signed('t'))).toBe('assistant: Ho')
    expect(thinkingOf(text('Ho'), signed('s'), text('Ha'))).toBe('assistant: Ho Ha')
    expect(thinkingOf(text(' '), signed('s'), text('Ha'))).toBe('assistant: thinking Ha')
    const neighbours = [user('Hi'), assistant(signed('s'), text('Ho')), assistant(signed('t'), text('Ha')), user('Go')]
    expect(short(neighbours)[1]).toBe('assistant: thinking Ho Ha')
  })
})

describe('tools', () => {
  const messages = [user('Hi'), assistant(call('a'), call('b', 'move')), answer('a', 'A'), answer('b', 'B')]

  it('that are gone are still defined for the calls made of them, and can no longer be called', () => {
    const body = bodyOf(messages, { tools: [] })
    expect(body.tool_choice).toEqual({ type: 'none' })
    expect(body.tools?.map((tool) => 'name' in tool && tool.name)).toEqual(['look', 'move'])
    expect(bodyOf(messages)).not.toHaveProperty('tool_choice')
    expect(bodyOf([user('Hi')], { tools: [] })).not.toHaveProperty('tools')
  })

  it('with a union as their schema have it as one object', () => {
    const at = {
      type: 'object',
      properties: { kind: { const: 'at' }, time: { type: 'string' } },
      required: ['kind', 'time'],
    }
    const now = { type: 'object', properties: { kind: { const: 'now' } }, required: ['kind'] }
    const inputSchema = {
      type: 'object',
      description: 'When.',
      oneOf: [at, now],
      allOf: [{ required: ['who'] }],
    } as const
    const [tool] = bodyOf([user('Hi')], { tools: [{ ...look, inputSchema }] }).tools ?? []
    expect(tool && 'input_schema' in tool && tool.input_schema).toEqual({
      type: 'object',
      description: 'When.',
      properties: { kind: { anyOf: [{ const: 'at' }, { const: 'now' }] }, time: { type: 'string' } },
      required: ['who', 'kind'],
    })
  })
})

describe('thinking with a fixed budget', () => {
  const thinking = { type: 'enabled', budget_tokens: 2000 } as const
  const asked = (messages: readonly Message[], maxOutputTokens?: number) =>
    bodyOf(messages, maxOutputTokens === undefined ? {} : { maxOutputTokens }, { thinking }).thinking

  it('is asked for where the API takes it', () => {
    expect(asked([user('Hi')])).toEqual(thinking)
    expect(asked([user('Hi'), assistant(signed('s'), call('a')), answer('a', 'A')])).toEqual(thinking)
    const later = [assistant(signed('s'), call('a')), answer('a', 'A'), assistant(call('b')), answer('b', 'B')]
    expect(asked([user('Hi'), ...later])).toEqual(thinking)
    expect(asked([user('Hi'), assistant(text('Ho')), user('Go')])).toEqual(thinking)
  })

  it('is not in a turn that another provider began, nor when the reply must be shorter', () => {
    expect(asked([user('Hi'), assistant(call('a')), answer('a', 'A')])).toBeUndefined()
    expect(asked([user('Hi')], 2000)).toBeUndefined()
    const body = toAnthropicRequest(
      { messages: [user('Hi')], tools: [] },
      { model: 'm', maxOutputTokens: 1000, promptCaching: false, thinking },
    )
    expect(body.thinking).toEqual(thinking)
  })
})
