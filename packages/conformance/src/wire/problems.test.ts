import { describe, expect, it } from 'vitest'
import { chatWire } from './chat-wire.ts'
import { messagesWire } from './messages-wire.ts'
import type { ModelWire } from './model-wire.ts'
import { responsesWire } from './responses-wire.ts'

const name = 'weather'
const parameters = { type: 'object', properties: {} }
const HALF = '\ud83d'

interface Case {
  readonly wire: ModelWire
  readonly legal: { readonly [field: string]: unknown }
  /** What each makes of the legal body, and what is then said. */
  readonly broken: readonly (readonly [said: string, changed: object])[]
}

const thinking = { type: 'thinking', thinking: 'Hm.', signature: 's' }
const toolUse = (id: string) => ({ type: 'tool_use', id, name, input: {} })
const toolResult = (tool_use_id: string) => ({ type: 'tool_result', tool_use_id, content: 'Sunny.' })
const say = (role: string, ...content: readonly object[]) => ({ role, content })
const hello = say('user', { type: 'text', text: 'Hello' })

const MESSAGES: Case = {
  wire: messagesWire,
  legal: {
    model: 'm',
    max_tokens: 9,
    tools: [{ name, input_schema: parameters }],
    messages: [
      hello,
      say('assistant', thinking, toolUse('a'), toolUse('b')),
      say('user', toolResult('b'), toolResult('a')),
    ],
  },
  broken: [
    ['model: is missing', { model: '' }],
    ['max_tokens: is missing', { max_tokens: undefined }],
    ['messages: there is none', { messages: [] }],
    ['body: holds half a character', { system: HALF }],
    ['tools: a name is not allowed', { tools: [{ name: 'a b', input_schema: parameters }] }],
    ['tools: a schema is of no object', { tools: [{ name, input_schema: {} }] }],
    ['messages.0: is out of turn', { messages: [say('assistant', { type: 'text', text: 'Hi' }), hello] }],
    ['messages.1: is out of turn', { messages: [hello, hello] }],
    ['messages.0: has an unknown role', { messages: [{ ...hello, role: 'tool' }] }],
    ['messages.0: is empty', { messages: [say('user')] }],
    ['messages.0: holds blank text', { messages: [say('user', { type: 'text', text: ' ' })] }],
    ['messages: end with the assistant', { messages: [hello, say('assistant', { type: 'text', text: 'Hi' })] }],
    ['messages.1: ends in thinking', { messages: [hello, say('assistant', thinking), hello] }],
    [
      'holds thinking without signature',
      { messages: [hello, say('assistant', { ...thinking, signature: '' }), hello] },
    ],
    ['messages.2: lacks a result', { messages: [hello, say('assistant', toolUse('a')), hello] }],
    ['messages.0: has a result without a call', { messages: [say('user', toolResult('a'))] }],
    [
      'has two results of one call',
      { messages: [hello, say('assistant', toolUse('a')), say('user', toolResult('a'), toolResult('a'))] },
    ],
    [
      'has something before its results',
      { messages: [hello, say('assistant', toolUse('a')), say('user', ...hello.content, toolResult('a'))] },
    ],
    [
      'holds an id that is not allowed',
      { messages: [hello, say('assistant', toolUse('a:1')), say('user', toolResult('a:1'))] },
    ],
    [
      'uses an id again',
      {
        messages: [
          hello,
          say('assistant', toolUse('a')),
          say('user', toolResult('a')),
          say('assistant', toolUse('a')),
          say('user', toolResult('a')),
        ],
      },
    ],
    ['and the request no tools', { tools: undefined }],
    [
      'holds an input that is no object',
      { messages: [hello, say('assistant', { ...toolUse('a'), input: '{}' }), say('user', toolResult('a'))] },
    ],
    [
      'holds an error with more than text',
      {
        messages: [
          hello,
          say('assistant', toolUse('a')),
          say('user', { ...toolResult('a'), is_error: true, content: [{ type: 'image', source: {} }] }),
        ],
      },
    ],
  ],
}

const call = (call_id: string) => ({ type: 'function_call', call_id, name, arguments: '{}' })
const output = (call_id: string) => ({ type: 'function_call_output', call_id, output: 'Sunny.' })
const item = { role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }
const thought = { type: 'reasoning', id: 'rs_1', summary: [] }

const RESPONSES: Case = {
  wire: responsesWire,
  legal: {
    model: 'm',
    tools: [{ type: 'function', name, parameters }],
    input: [item, thought, call('a'), call('b'), output('b'), output('a'), { role: 'assistant', content: 'Hi' }],
  },
  broken: [
    ['model: is missing', { model: undefined }],
    ['input: there is none', { input: [] }],
    ['tool_choice: there are no tools', { tools: [], tool_choice: 'required', input: [item] }],
    ['tools: a name is not allowed', { tools: [{ type: 'function', name: '', parameters }] }],
    ['tools: a strict schema is open', { tools: [{ type: 'function', name, parameters, strict: true }] }],
    ['input.0: has an unknown role', { input: [{ ...item, role: 'tool' }] }],
    ['input.0: holds blank text', { input: [{ role: 'user', content: ' ' }] }],
    [
      'input.0: holds output_text, which user cannot',
      { input: [{ role: 'user', content: [{ type: 'output_text', text: 'Hi' }] }] },
    ],
    ['input.0: is reasoning without its id', { input: [{ ...thought, id: undefined }, call('a'), output('a')] }],
    ['input.0: is reasoning without what follows it', { input: [thought, item] }],
    ['input.0: has a call_id that is not allowed', { input: [call('x'.repeat(65)), output('x'.repeat(65))] }],
    ['input.0: has arguments that are no JSON', { input: [{ ...call('a'), arguments: '{' }, output('a')] }],
    ['input: a call lacks its output', { input: [call('a')] }],
    ['input: an output has no call before it', { input: [output('a'), call('a')] }],
    ['input: two calls share an id', { input: [call('a'), call('a'), output('a')] }],
    ['input: two outputs are of one call', { input: [call('a'), output('a'), output('a')] }],
  ],
}

const asked = (...ids: readonly string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name, arguments: '{}' } })),
})
const answered = (tool_call_id: string) => ({ role: 'tool', tool_call_id, content: 'Sunny.' })
const question = { role: 'user', content: 'Hello' }

const CHAT: Case = {
  wire: chatWire,
  legal: {
    model: 'm',
    tools: [{ type: 'function', function: { name, parameters } }],
    messages: [question, asked('a', 'b'), answered('b'), answered('a'), { role: 'assistant', content: 'Hi' }],
  },
  broken: [
    ['model: is missing', { model: undefined }],
    ['messages: there is none', { messages: [] }],
    ['tools: are an empty list', { tools: [] }],
    ['tool_choice: there are no tools', { tools: undefined, tool_choice: 'none' }],
    ['tools: a schema is of no object', { tools: [{ type: 'function', function: { name } }] }],
    ['messages.0: has an unknown role', { messages: [{ role: 'model', content: 'Hello' }] }],
    ['messages.0: is empty', { messages: [{ role: 'user', content: '' }] }],
    ['messages.0: holds blank text', { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }],
    ['messages.0: has an empty list of calls', { messages: [asked()] }],
    [
      'holds image_url, which it cannot',
      { messages: [asked('a'), { ...answered('a'), content: [{ type: 'image_url', image_url: { url: 'data:' } }] }] },
    ],
    ['messages.0: has an id that is not allowed', { messages: [asked('x'.repeat(41)), answered('x'.repeat(41))] }],
    ['messages.0: answers no call of the message before', { messages: [answered('a')] }],
    ['messages.2: answers no call of the message before', { messages: [asked('a'), question, answered('a')] }],
    ['messages.1: comes before all results are there', { messages: [asked('a'), question] }],
    ['messages.2: uses an id again', { messages: [asked('a'), answered('a'), asked('a'), answered('a')] }],
    ['messages: end with calls', { messages: [question, asked('a')] }],
  ],
}

describe.each([
  ['Messages', MESSAGES],
  ['Responses', RESPONSES],
  ['Chat Completions', CHAT],
])('what %s would refuse', (_, { wire, legal, broken }) => {
  it('is nothing of a legal body', () => {
    expect(wire.problemsIn(legal)).toEqual([])
  })

  it.each(broken)('is told: %s', (said, changed) => {
    expect(wire.problemsIn({ ...legal, ...changed }).join('\n')).toContain(said)
  })

  it('is a body that is none', () => {
    expect(wire.problemsIn('hello')).toEqual(['body: is no object'])
  })
})
