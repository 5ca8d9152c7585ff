import type { Message, ModelRequest } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyRequests } from './chat-histories.ts'
import { collect, compatible, end, sse, text } from './chat-wire.ts'
import { chatProblemsIn } from './legal-chat-request.ts'
import { gif, pdf, png } from './media.ts'

const user = (content: unknown) => ({ role: 'user', content })
const said = (content: unknown, ...calls: readonly object[]) => ({
  role: 'assistant',
  content,
  ...(calls.length > 0 ? { tool_calls: calls } : {}),
})
/** A letter as an id that servers take; any other text as it is. */
const idOf = (id: string) => (id.length === 1 ? id.repeat(9) : id)
const call = (id: string, more: object = {}) => ({
  id: idOf(id),
  type: 'function',
  function: { name: 'look', arguments: '{}', ...more },
})
const result = (id: string, content: unknown = 'Rain.') => ({ role: 'tool', tool_call_id: idOf(id), content })
const image = (data: string, type = 'image/png') => ({
  type: 'image_url',
  image_url: { url: `data:${type};base64,${data}` },
})
const file = (data: string, filename = 'a.pdf') => ({
  type: 'file',
  file: { filename, file_data: `data:application/pdf;base64,${data}` },
})
const words = (content: string) => ({ type: 'text', text: content })
const look = { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } }
const tool = (more: object = {}) => ({ type: 'function', function: { ...look, ...more } })
const format = (schema: unknown, more: object = {}) => ({
  type: 'json_schema',
  json_schema: { name: 'answer', schema, ...more },
})
const STRICT = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }

/** A request with something of everything. */
const legal = {
  model: 'qwen3',
  messages: [
    { role: 'system', content: 'Be brief.' },
    user([words('Look at these 😀'), image(png(8, 8)), image(gif(3, 3), 'image/gif'), file(pdf(2))]),
    said(null, call('a'), call('b', { arguments: '{"a":[1]}' })),
    result('a'),
    result('b'),
    said('Well,', call('c')),
    result('c'),
    user('And?'),
    said('Nothing.'),
    user('Thanks.'),
  ],
  tools: [tool()],
  tool_choice: 'auto',
  max_tokens: 2000,
  temperature: 0.5,
  reasoning_effort: 'low',
  response_format: format(STRICT, { strict: true }),
  stream: true,
  stream_options: { include_usage: true },
}

const withMessages = (...messages: readonly unknown[]) => ({ ...legal, messages })
const asked = (content: unknown) => withMessages(user(content))
const turn = (calls: readonly object[], ...after: readonly object[]) =>
  withMessages(user('Hi'), said(null, ...calls), ...after)

/** Each a legal request but for one thing, and what is to be said of it. */
const WRONG: readonly (readonly [string, object, RegExp])[] = [
  ['no model', { ...legal, model: '' }, /^model/],
  ['an unknown field', { ...legal, providerData: {} }, /unknown field/],
  ['no length', { ...legal, max_tokens: 0 }, /^max_tokens/],
  ['two lengths', { ...legal, max_completion_tokens: 5 }, /twice/],
  ['too warm', { ...legal, temperature: 3 }, /^temperature/],
  ['options of no stream', { ...legal, stream: false }, /^stream_options/],
  ['half a character', asked('\ud83d'), /half a character/],
  ['an empty list of tools', { ...legal, tools: [], tool_choice: undefined }, /empty list/],
  ['a choice without tools', { ...legal, tools: undefined }, /without tools/],
  ['two tools of one name', { ...legal, tools: [tool(), tool()] }, /two named/],
  ['a tool’s name with a dot', { ...legal, tools: [tool({ name: 'a.b' })] }, /name that is not allowed/],
  ['a blank description', { ...legal, tools: [tool({ description: ' ' })] }, /description/],
  ['parameters of no object', { ...legal, tools: [tool({ parameters: { type: 'array' } })] }, /no object/],
  ['parameters without properties', { ...legal, tools: [tool({ parameters: { type: 'object' } })] }, /properties/],
  ['a union as parameters', { ...legal, tools: [tool({ parameters: { ...look.parameters, anyOf: [] } })] }, /union/],
  ['129 tools', { ...legal, tools: Array.from({ length: 129 }, (_, at) => tool({ name: `look_${at}` })) }, /128/],
  ['an unknown choice', { ...legal, tool_choice: 'any' }, /^tool_choice/],
  ['a format without its schema', { ...legal, response_format: format(undefined) }, /no schema/],
  ['a format without its name', { ...legal, response_format: format(STRICT, { name: '' }) }, /name/],
  ['a format of a list', { ...legal, response_format: format({ type: 'array' }) }, /schema of no object/],
  [
    'a format of a union',
    { ...legal, response_format: format({ type: 'object', anyOf: [STRICT, STRICT] }) },
    /union as its schema/,
  ],
  [
    'a strict format that is not',
    { ...legal, response_format: format({ ...STRICT, required: [] }, { strict: true }) },
    /not require all/,
  ],
  [
    'a strict format with more',
    { ...legal, response_format: format({ ...STRICT, additionalProperties: {} }, { strict: true }) },
    /more properties/,
  ],
  ['no message', withMessages(), /there is none/],
  ['a message of nobody', withMessages(user('Hi'), { role: 'function', content: 'Ho' }, user('Ha')), /unknown role/],
  ['a late system prompt', withMessages(user('Hi'), said('Ho'), { role: 'system', content: 'Be' }), /not first/],
  ['a blank system prompt', withMessages({ role: 'system', content: ' ' }, user('Hi')), /blank/],
  ['two messages of the user', withMessages(user('Hi'), user('Ho')), /same role/],
  ['two messages of the model', withMessages(user('Hi'), said('Hi'), said('Ho'), user('Ha')), /same role/],
  ['the model first', withMessages(said('Hi'), user('Ho')), /is first/],
  ['the model last', withMessages(user('Hi'), said('Ho')), /end with the model/],
  ['an empty message', asked([]), /is empty/],
  ['a blank message', asked(' '), /blank/],
  ['blank text among parts', asked([words(''), image(png(1, 1))]), /blank text/],
  ['a part of another API', asked([{ type: 'input_text', text: 'Hi' }]), /unknown type/],
  ['an image that is none', asked([image('aGk=')]), /is none/],
  ['an image of another kind', asked([image(png(5, 5), 'image/gif')]), /called image\/gif/],
  ['an image not in base64', asked([image('{}')]), /base64/],
  ['a PDF that is none', asked([file('aGk=')]), /PDF that is none/],
  [
    'a PDF by URL',
    asked([{ type: 'file', file: { filename: 'a.pdf', file_data: 'https://a.b/c.pdf' } }]),
    /no PDF in base64/,
  ],
  ['a file without a name', asked([file(pdf(1), ' ')]), /without a name/],
  ['a model that says nothing', withMessages(user('Hi'), said(null), user('Ho')), /says nothing/],
  ['a model that says empty text', withMessages(user('Hi'), said(''), user('Ho')), /says nothing/],
  ['thoughts', withMessages(user('Hi'), { ...said('Ho'), reasoning_content: 'Hm' }, user('Ha')), /other fields/],
  ['an empty list of calls', withMessages(user('Hi'), { ...said('Ho'), tool_calls: [] }, user('Ha')), /empty list/],
  ['an id with a colon', turn([call('aaaa:bbbb')], result('aaaa:bbbb')), /id that is not allowed/],
  ['an id of ten characters', turn([call('x'.repeat(10))], result('x'.repeat(10))), /id that is not allowed/],
  ['an id of eight characters', turn([call('x'.repeat(8))], result('x'.repeat(8))), /id that is not allowed/],
  ['a called name with a space', turn([call('a', { name: 'a b' })], result('a')), /name that is not allowed/],
  ['arguments that are an object', turn([call('a', { arguments: {} })], result('a')), /arguments/],
  ['arguments that are a list', turn([call('a', { arguments: '[]' })], result('a')), /arguments/],
  ['arguments that are cut off', turn([call('a', { arguments: '{' })], result('a')), /arguments/],
  ['one id in two turns', turn([call('a')], result('a'), said(null, call('a')), result('a')), /again/],
  ['a missing result', turn([call('a'), call('b')], result('a'), user('So?')), /before the results of b{9}$/],
  ['a missing last result', turn([call('a'), call('b')], result('a')), /end with calls/],
  ['a late result', turn([call('a')], user('Wait'), said('Yes'), user('Go')), /before the results of a{9}$/],
  ['a result without a call', withMessages(user('Hi'), result('a')), /without a call/],
  ['two results of one call', turn([call('a')], result('a'), result('a')), /without a call/],
  ['results in another order', turn([call('a'), call('b')], result('b'), result('a')), /order/],
  ['a blank result', turn([call('a')], result('a', '')), /blank/],
  ['an image as a result', turn([call('a')], result('a', [image(png(1, 1))])), /blank/],
]

describe('the checker of requests', () => {
  it('finds nothing in a legal one', () => {
    expect(chatProblemsIn(legal)).toEqual([])
    expect(chatProblemsIn({ model: 'm', messages: [user('a \\ud83d b')] })).toEqual([])
  })

  it.each(WRONG)('finds %s, and nothing else', (_, body, problem) => {
    expect(chatProblemsIn(body)).toEqual([expect.stringMatching(problem)])
  })

  it('calls nothing a request that is none', () => {
    for (const body of [undefined, null, 'Hi', [], {}]) expect(chatProblemsIn(body)).not.toEqual([])
  })
})

/** The body that goes over the wire. */
async function sentFor(request: ModelRequest, options: Parameters<typeof compatible>[0] = {}) {
  let body: unknown
  const fetch: typeof globalThis.fetch = async (_, init) => {
    body = JSON.parse(String(init?.body))
    return new Response(sse(text('ok'), end()), { headers: { 'content-type': 'text/event-stream' } })
  }
  await collect(compatible({ ...options, fetch }), request)
  return body as { readonly messages: readonly { readonly role: string; readonly content: unknown }[] }
}

const VARIANTS = [
  {},
  { streaming: false, structuredOutput: 'tool', temperature: 0 },
  { maxTokensField: 'max_completion_tokens', maxOutputTokens: 5 },
] as const

describe('every request', () => {
  it('is one that servers take, whatever the history', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequests, fc.constantFrom(...VARIANTS), async (request, options) => {
        const before = JSON.stringify(request)
        const body = await sentFor(request, options)
        expect(chatProblemsIn(body)).toEqual([])
        expect(JSON.stringify(request)).toBe(before)
        expect(await sentFor(request, options)).toEqual(body)
      }),
      { numRuns: 1500 },
    )
  })

  it('begins as the one before, when a turn was added to its history', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequests, anyRequests, async ({ messages }, { messages: more }) => {
        const reply: Message = { role: 'assistant', content: [{ type: 'text', text: 'So.' }] }
        const done = [...messages, reply]
        const first = (await sentFor({ messages: done, tools: [] })).messages
        const next = await sentFor({
          messages: [...done, { role: 'user', content: [{ type: 'text', text: 'Go' }] }, ...fresh(more)],
          tools: [],
        })
        // Last stands the word that lets the model go on.
        expect(next.messages.slice(0, first.length - 1)).toEqual(first.slice(0, -1))
      }),
      { numRuns: 300 },
    )
  })
})

/** Without results, which may belong to calls of before. */
function fresh(messages: readonly Message[]): readonly Message[] {
  return messages.filter(({ role }) => role !== 'tool')
}
