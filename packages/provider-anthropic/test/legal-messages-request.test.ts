import { describe, expect, it } from 'vitest'
import { problemsIn } from './legal-messages-request.ts'
import { gif, jpeg, pdf, png } from './media.ts'

const text = (words: string) => ({ type: 'text', text: words })
const image = (data: string, type = 'image/png') => ({
  type: 'image',
  source: { type: 'base64', media_type: type, data },
})
const document = (data: string) => ({
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data },
})
const thinking = (signature?: string) => ({ type: 'thinking', thinking: 'Hm.', signature })
const call = (id: string, more: object = {}) => ({ type: 'tool_use', id, name: 'look', input: {}, ...more })
const result = (id: string, more: object = {}) => ({ type: 'tool_result', tool_use_id: id, ...more })
const user = (...content: readonly object[]) => ({ role: 'user', content })
const assistant = (...content: readonly object[]) => ({ role: 'assistant', content })
const mark = { cache_control: { type: 'ephemeral' } }
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

const tool = { name: 'look', description: 'Looks.', input_schema: { type: 'object' } }

/** A request with something of everything. */
const legal = {
  model: 'claude',
  max_tokens: 2000,
  system: [{ ...text('Be brief.'), ...mark }],
  tools: [{ ...tool, ...mark }],
  tool_choice: { type: 'auto' },
  thinking: { type: 'enabled', budget_tokens: 1024 },
  messages: [
    user(text('Look at these 😀'), image(png(8000, 10)), image(gif(3, 3), 'image/gif'), document(pdf(100))),
    assistant({ type: 'redacted_thinking', data: 'x' }, thinking('s'), text('I look.'), call('a'), call('b')),
    user(
      result('b', { content: [text('Rain'), image(jpeg(5, 5), 'image/jpeg')] }),
      { ...result('a', { content: 'No.', is_error: true }), ...mark },
      text('And?'),
    ),
    assistant(text('Nothing. ')),
    { role: 'user', content: 'Thanks.' },
  ],
}

type Body = typeof legal

const withMessages = (...messages: readonly object[]) => ({ ...legal, thinking: undefined, messages })
const asked = (...content: readonly object[]) => withMessages(user(...content))
const said = (...content: readonly object[]) =>
  withMessages(user(text('Hi')), assistant(...content), user(text('Go on')))
const turn = (calls: readonly object[], ...answer: readonly object[]) =>
  withMessages(user(text('Hi')), assistant(thinking('s'), ...calls), user(...answer))

/** Each a legal request but for one thing, and what is to be said of it. */
const WRONG: readonly (readonly [string, object, RegExp])[] = [
  ['no model', { ...legal, model: '' }, /^model/],
  ['no length', { ...legal, thinking: undefined, max_tokens: 0 }, /^max_tokens/],
  ['a blank system prompt', { ...legal, system: ' ' }, /^system/],
  ['a blank block of the system prompt', { ...legal, system: [text('\n')] }, /^system/],
  ['an image as system prompt', { ...legal, system: [image(png(1, 1))] }, /^system/],
  ['half a character', asked(text('\ud83d')), /half a character/],
  ['more than 32 MB', asked(text('x'.repeat(32_000_000))), /32 MB/],
  ['two tools of one name', { ...legal, tools: [tool, tool] }, /two tools/],
  ['a tool’s name with a dot', { ...legal, tools: [{ ...tool, name: 'a.b' }] }, /name/],
  ['a blank description', { ...legal, tools: [{ ...tool, description: '' }] }, /description/],
  ['a schema of no object', { ...legal, tools: [{ ...tool, input_schema: { type: 'array' } }] }, /schema/],
  ['a union as schema', { ...legal, tools: [{ ...tool, input_schema: { type: 'object', anyOf: [] } }] }, /union/],
  ['calls without tools', { ...legal, tools: undefined, tool_choice: undefined }, /no tools/],
  ['a choice without tools', { ...asked(text('Hi')), tools: [] }, /tool_choice/],
  ['no message', withMessages(), /there is none/],
  ['a message of nobody', withMessages(user(text('Hi')), { role: 'system', content: [text('Hi')] }), /unknown role/],
  ['two messages of the user', withMessages(user(text('Hi')), user(text('Ho'))), /same role/],
  ['the model first', withMessages(assistant(text('Hi')), user(text('Ho'))), /is first/],
  ['the model last', withMessages(user(text('Hi')), assistant(text('Ho'))), /is last/],
  ['an empty message', asked(), /is empty/],
  ['blank text', asked(text(' \n')), /blank text/],
  ['blank text in a result', turn([call('a')], result('a', { content: [text('')] })), /blank text/],
  ['an image of the model', said(image(png(1, 1))), /cannot hold/],
  ['a result in a result', turn([call('a')], result('a', { content: [result('a')] })), /cannot hold/],
  ['an id with a colon', turn([call('a:b')], result('a:b')), /id that is not allowed/],
  ['a called name with a space', turn([call('a', { name: 'a b' })], result('a')), /name that is not allowed/],
  ['an input that is a list', turn([call('a', { input: [] })], result('a')), /no object/],
  ['one id twice in a message', turn([call('a'), call('a')], result('a')), /again/],
  [
    'one id twice in two messages',
    withMessages(user(text('Hi')), assistant(call('a')), user(result('a')), assistant(call('a')), user(result('a'))),
    /again/,
  ],
  ['a missing result', turn([call('a'), call('b')], result('a')), /lacks results of b/],
  ['a late result', turn([call('a')], text('Wait')), /lacks results of a/],
  ['a result without a call', asked(result('a')), /without a call: a/],
  ['two results of one call', turn([call('a')], result('a'), result('a')), /two results/],
  ['a result after text', turn([call('a')], text('Hm'), result('a')), /after text/],
  ['an error without words', turn([call('a')], result('a', { is_error: true })), /without words/],
  ['an error of blank words', turn([call('a')], result('a', { is_error: true, content: ' ' })), /blank/],
  [
    'an error with an image',
    turn([call('a')], result('a', { is_error: true, content: [image(png(1, 1))] })),
    /more than text/,
  ],
  ['thinking without signature', said(thinking(), text('Hi')), /without signature/],
  ['thinking with an empty signature', said(thinking(''), text('Hi')), /without signature/],
  ['sealed thinking without its data', said({ type: 'redacted_thinking' }, text('Hi')), /without its data/],
  ['thinking after text', said(text('Hi'), thinking('s'), text('Ho')), /not first/],
  ['thinking at the end', said(thinking('s')), /ends in thinking/],
  ['thinking of the user', asked(thinking('s'), text('Hi')), /cannot hold/],
  ['thinking with a mark', said({ ...thinking('s'), ...mark }, text('Hi')), /with a cache mark/],
  ['a budget below the least', { ...legal, thinking: { type: 'enabled', budget_tokens: 1000 } }, /budget/],
  ['a budget over the length', { ...legal, max_tokens: 1024 }, /budget/],
  [
    'thinking in a turn without',
    { ...legal, messages: [user(text('Hi')), assistant(call('a')), user(result('a'))] },
    /began without/,
  ],
  ['five marks', asked(...times(3, () => ({ ...text('Hi'), ...mark }))), /4 cache marks/],
  ['a mark of another kind', asked({ ...text('Hi'), cache_control: {} }), /unknown type/],
  ['an image over 5 MB', asked(image(png(5, 5, 4_000_000))), /5 MB/],
  ['an image over 8,000 pixels', asked(image(png(5, 8001))), /8,000/],
  ['an image that is none', asked(image('aGk=')), /no image/],
  ['an image of another kind', asked(image(png(5, 5), 'image/gif')), /called image\/gif/],
  ['an image of a kind that is not taken', asked(image('Qk0AAAAAAAAAAAAAAAAoAAAAAQAAAAEAAAA=')), /no image/],
  ['an image not in base64', asked(image('{}')), /base64/],
  ['an image by http', asked({ type: 'image', source: { type: 'url', url: 'http://a.b/c.png' } }), /https/],
  ['101 images', asked(...times(101, () => image(png(5, 5)))), /100 images/],
  ['a large image among many', asked(image(png(2001, 5)), ...times(20, () => image(png(5, 5)))), /2,000 pixels/],
  [
    'an image of unknown size among many',
    asked({ type: 'image', source: { type: 'url', url: 'https://a.b/c' } }, ...times(20, () => image(png(5, 5)))),
    /2,000 pixels/,
  ],
  ['101 pages', asked(document(pdf(60)), document(pdf(41))), /100 pages/],
  ['a PDF that is none', asked(document('aGk=')), /no PDF/],
  ['a PDF with a password', asked(document(pdf(1, { encrypted: true }))), /password/],
  ['a document with a blank title', asked({ ...document(pdf(1)), title: ' ' }), /title/],
  [
    'a document of blank text',
    asked({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: ' ' } }),
    /plain text/,
  ],
]

describe('the checker of requests', () => {
  it('finds nothing in a legal one', () => {
    expect(problemsIn(legal satisfies Body)).toEqual([])
    expect(problemsIn({ model: 'm', max_tokens: 1, messages: [user(text('a \\ud83d b'))] })).toEqual([])
  })

  it.each(WRONG)('finds %s, and nothing else', (_, body, problem) => {
    const problems = problemsIn(body)
    expect(problems).toEqual([expect.stringMatching(problem)])
  })

  it('calls nothing a request that is none', () => {
    for (const body of [undefined, null, 'Hi', [], {}]) expect(problemsIn(body)).not.toEqual([])
  })
})
