import { describe, expect, it } from 'vitest'
import { problemsInResponses } from './legal-responses-request.ts'
import { pdf, png } from './media.ts'

const text = (words: string) => ({ type: 'input_text', text: words })
const image = (data: string, kind = 'image/png') => ({
  type: 'input_image',
  image_url: `data:${kind};base64,${data}`,
  detail: 'auto',
})
const file = (data: string, filename = 'a.pdf') => ({
  type: 'input_file',
  filename,
  file_data: `data:application/pdf;base64,${data}`,
})
const user = (...content: readonly object[]) => ({ type: 'message', role: 'user', content })
const said = (content: unknown, more = {}) => ({ type: 'message', role: 'assistant', content, ...more })
const thought = (more = {}) => ({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 's', ...more })
const answer = (id: string) => said([{ type: 'output_text', text: 'Hi', annotations: [] }], { id, status: 'completed' })
const call = (id: string, more = {}) => ({ type: 'function_call', call_id: id, name: 'look', arguments: '{}', ...more })
const output = (id: string, more: unknown = 'ok') => ({ type: 'function_call_output', call_id: id, output: more })

const schema = { type: 'object', properties: {}, required: [], additionalProperties: false }
const tool = { type: 'function', name: 'look', description: 'Looks.', parameters: schema, strict: true }

/** A request with something of everything. */
const legal = {
  model: 'gpt-5.2',
  instructions: 'Be brief.',
  tools: [tool],
  store: false,
  include: ['reasoning.encrypted_content'],
  text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } },
  max_output_tokens: 16,
  input: [
    user(text('Look 😀'), image(png(5, 5)), file(pdf(1))),
    thought(),
    answer('msg_1'),
    call('a', { id: 'fc_1' }),
    call('b'),
    output('b'),
    output('a', [text('Rain'), image(png(5, 5))]),
    said('Nothing.'),
    user({ type: 'input_image', image_url: 'https://example.com/a', detail: 'low' }),
  ],
}

const asked = (...items: readonly object[]) => ({ ...legal, input: items })
const withTool = (more: object) => ({ ...legal, tools: [{ ...tool, ...more }] })
const withSchema = (more: object, strict = true) => withTool({ parameters: { ...schema, ...more }, strict })

/** Each a legal request but for one thing, and what is to be said of it. */
const WRONG: readonly (readonly [string, object, RegExp])[] = [
  ['no model', { ...legal, model: '' }, /^model/],
  ['an unknown parameter', { ...legal, max_tokens: 5 }, /no parameter/],
  ['too short a limit', { ...legal, max_output_tokens: 15 }, /below 16/],
  ['blank instructions', { ...legal, instructions: ' ' }, /^instructions/],
  ['thoughts of a model without', { ...legal, model: 'gpt-4.1' }, /^include/],
  ['half a character', asked(user(text('\ud83d'))), /half a character/],
  ['more than 50 MB', asked(user(text('x'.repeat(50_000_000)))), /50 MB/],
  ['an empty list of tools', { ...legal, tools: [] }, /empty list/],
  ['two tools of one name', { ...legal, tools: [tool, tool] }, /two tools/],
  ['a tool’s name with a dot', withTool({ name: 'a.b' }), /name/],
  ['a tool’s name of 65 characters', withTool({ name: 'x'.repeat(65) }), /name/],
  ['a blank description', withTool({ description: '' }), /description/],
  ['a tool that is strict by default', withTool({ strict: undefined }), /strict/],
  ['a schema of no object', withSchema({ type: 'array' }), /no object/],
  ['a schema without properties', withTool({ parameters: { type: 'object' }, strict: false }), /without properties/],
  ['a union as schema', withSchema({ anyOf: [] }, false), /anyOf/],
  ['a list without items', withSchema({ properties: { a: { type: 'array' } } }, false), /without items/],
  ['a strict schema that allows more', withSchema({ additionalProperties: true }), /allows more/],
  ['a strict schema with an optional property', withSchema({ properties: { a: { type: 'null' } } }), /optional/],
  ['a strict schema with a default', withSchema({ default: {} }), /with default/],
  ['a format of another name', { ...legal, text: { format: { ...legal.text.format, name: 'a b' } } }, /format.*name/],
  ['nothing', asked(), /there is none/],
  ['a message of nobody', asked({ type: 'message', role: 'robot', content: 'Hi' }), /unknown/],
  ['an empty message', asked(user()), /is empty/],
  ['blank text', asked(user(text('\n'))), /blank text/],
  ['a blank answer', asked(said(' '), user(text('Hi'))), /is blank/],
  ['an answer with an id alone', asked(said('Hi', { id: 'msg_1' })), /form of an output/],
  ['an output without id', asked(said([{ type: 'output_text', text: 'Hi', annotations: [] }])), /without id/],
  ['an image without detail', asked(user({ ...image(png(5, 5)), detail: undefined })), /detail/],
  ['an image of another kind', asked(user(image(png(5, 5), 'image/gif'))), /called image\/gif/],
  ['an image of SVG', asked(user(image('PHN2Zz4=', 'image/svg+xml'))), /can be read/],
  ['an image of nothing', asked(user(image('aGk='))), /can be read/],
  ['a file that is no PDF', asked(user(file('aGk='))), /no PDF/],
  ['a file without a name', asked(user(file(pdf(1), 'a'))), /file name/],
  ['a locked file', asked(user(file(pdf(1, { encrypted: true })))), /password/],
  ['a file with two sources', asked(user({ ...file(pdf(1)), file_url: 'https://a.b' })), /one source/],
  ['an id with a colon', asked(call('a:b'), output('a:b')), /id that is not allowed/],
  ['an id of 65 characters', asked(call('x'.repeat(65)), output('x'.repeat(65))), /id that is not allowed/],
  ['a call of a name with a dot', asked(call('a', { name: 'a.b' }), output('a')), /name/],
  ['arguments that are no object', asked(call('a', { arguments: '[]' }), output('a')), /no object/],
  ['arguments that are no JSON', asked(call('a', { arguments: '{' }), output('a')), /no JSON/],
  ['a blank output', asked(call('a'), output('a', '')), /blank/],
  ['an output of nothing', asked(call('a'), output('a', [])), /empty/],
  ['a call without output', asked(call('a'), user(text('Hi'))), /before the output of a/],
  ['a call without output at the end', asked(call('a')), /without outputs/],
  [
    'a call before the output of another',
    asked(call('a'), call('b'), output('a'), call('c')),
    /before the output of b/,
  ],
  ['an output without a call', asked(output('a')), /without its call/],
  ['two outputs of one call', asked(call('a'), output('a'), output('a')), /without its call/],
  ['two calls of one id', asked(call('a'), output('a'), call('a'), output('a')), /again/],
  ['an item that is there twice', asked(answer('msg_1'), user(text('Hi')), answer('msg_1')), /msg_1 again/],
  ['a thought without its content', asked(thought({ encrypted_content: null }), answer('m')), /without its content/],
  ['a thought at the end', asked(thought()), /what came of it/],
  ['a thought before the user', asked(thought(), user(text('Hi'))), /what came of it/],
  ['a thought before another answer', asked(thought(), said('Hi')), /what came of it/],
  ['too many images', asked(user(...Array(501).fill(image(png(5, 5))))), /500 images/],
]

describe('the check of a request', () => {
  it('lets a legal one pass', () => {
    expect(problemsInResponses(legal)).toEqual([])
  })

  it.each(WRONG)('sees %s', (_, body, problem) => {
    expect(problemsInResponses(body).join('\n')).toMatch(problem)
  })
})
