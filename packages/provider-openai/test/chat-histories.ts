import type { AssistantMessage, ContentPart, Message, ModelRequest, ToolMessage, ToolSpec } from '@orra/core'
import fc from 'fast-check'
import { gif, jpeg, pdf, png, webp } from './media.ts'

const HALF = '\ud83d'
const CALL_IDS = [
  'a',
  'b',
  'c',
  'a-2',
  'toolu_01A09q90qw90lq917835lq9',
  'call:1',
  'AbCdEf123',
  '',
  'é',
  `half${HALF}`,
  'x'.repeat(41),
  'y'.repeat(300),
]
const NAMES = ['look', 'move_task', 'gone', 'a.b', '', 'x'.repeat(80), HALF]

const words = fc.oneof(
  fc.constantFrom('Hello', '日本 😀', '', ' ', '\n\t', '\u0085\u001c', HALF, `cut${HALF}`, 'trailing  ', '\\ud83d'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)

const IMAGES = [
  ...[png(1, 1), png(8001, 1), png(0, 7), gif(30, 40), webp(300, 200), jpeg(640, 480)],
  ...[png(5, 5).replace(/.{20}/g, '$&\n'), png(5, 5).slice(0, 20), '', 'aGk=', 'no base64!', `${png(5, 5)}=`],
]
const FILES = [pdf(1), pdf(101), pdf(2, { encrypted: true }), pdf(0), '', 'aGk=', 'IA==', 'e30=', '//8=', '%%%']
const URLS = ['https://example.com/a', 'http://example.com/a', 'data:image/png;base64,aGk=', '', `https://a.b/${HALF}`]
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml', 'text/plain', HALF]
const FILE_TYPES = [
  'application/pdf',
  'text/plain',
  'text/csv',
  'application/json',
  'application/msword',
  'image/png',
  '',
]

const source = (data: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...data).map((one) => ({ data: one })) },
    fc.constantFrom(...URLS).map((url) => ({ url })),
  )

const image = fc
  .tuple(source(IMAGES), fc.constantFrom(...IMAGE_TYPES))
  .map(([from, mediaType]) => ({ type: 'image', mediaType, ...from }) as const)

const file = fc
  .tuple(
    source(FILES),
    fc.constantFrom(...FILE_TYPES),
    fc.option(fc.constantFrom('a.pdf', '', ' ', HALF, 'n'.repeat(600))),
  )
  .map(([from, mediaType, name]) => ({ type: 'file', mediaType, ...from, ...(name === null ? {} : { name }) }) as const)

const text = words.map((said) => ({ type: 'text', text: said }) as const)
const part: fc.Arbitrary<ContentPart> = fc.oneof({ weight: 3, arbitrary: text }, image, file)
const content = fc.array(part, { maxLength: 4 })

/** What other providers keep with their parts. */
const DATA = [
  {},
  { anthropic: { signature: 's' } },
  { anthropic: { redacted: 'r' } },
  { openai: { id: 'rs_1', encrypted_content: 'e' } },
  { 'openai-compatible': { extra_content: { google: { thought_signature: HALF } } } },
  { 'openai-compatible': { extra_content: 'no object' } },
]
const providerData = fc.constantFrom<object>(...DATA)

const reasoning = fc
  .tuple(words, providerData)
  .map(([thought, data]) => ({ type: 'reasoning', text: thought, providerData: data }) as never)

const input = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({}, { [HALF]: [HALF] }, 'no object', null))
const call = fc
  .tuple(fc.constantFrom(...CALL_IDS), fc.constantFrom(...NAMES), input, providerData)
  .map(
    ([callId, name, given, data]) => ({ type: 'tool-call', callId, name, input: given, providerData: data }) as never,
  )

const result = fc
  .tuple(fc.constantFrom(...CALL_IDS), fc.constantFrom(...NAMES), content, fc.boolean())
  .map(([callId, name, answer, isError]) => ({ type: 'tool-result', callId, name, content: answer, isError }) as const)

const assistant = fc
  .array(fc.oneof(text, reasoning, call), { maxLength: 5 })
  .map((parts) => ({ role: 'assistant', content: parts }) as AssistantMessage)
const user = content.map((said): Message => ({ role: 'user', content: said }))
const tool = fc.array(result, { maxLength: 3 }).map((results): ToolMessage => ({ role: 'tool', content: results }))

/** Calls as a run makes them: made at once, answered in any order, now and then not all of them. */
const step = fc
  .tuple(fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 6 }), fc.array(part, { maxLength: 2 }))
  .chain(([ids, answer]) =>
    fc.shuffledSubarray(ids).map((answered): readonly Message[] => [
      {
        role: 'assistant',
        content: ids.map((callId) => ({ type: 'tool-call', callId, name: 'look', input: {} }) as const),
      },
      ...answered.map((callId): Message => {
        const given = { type: 'tool-result', callId, name: 'look', content: answer } as const
        return { role: 'tool', content: [given] }
      }),
    ]),
  )

const SCHEMAS: readonly ToolSpec['inputSchema'][] = [
  { type: 'object' },
  {
    type: 'object',
    properties: { city: { type: 'string', description: HALF } },
    required: ['city'],
    additionalProperties: false,
  },
  { type: 'object', properties: { a: { type: 'object', properties: { b: {} } } }, additionalProperties: false },
  {
    type: 'object',
    anyOf: [
      { type: 'object', properties: { kind: { const: 'a' }, more: {} }, required: ['kind', 'more'] },
      { type: 'object', properties: { kind: { const: 'b' } }, required: ['kind'] },
    ],
  },
  { type: 'object', allOf: [{ properties: { b: {} }, required: ['b'] }], oneOf: [true] },
]
const schema = fc.constantFrom(...SCHEMAS)

const tools = fc.array(
  fc
    .tuple(fc.constantFrom(...NAMES), words, schema)
    .map(([name, description, inputSchema]): ToolSpec => ({ name, description, inputSchema })),
  { maxLength: 3 },
)

/** Requests as no core should make them: any parts in any order, and among them whole steps of a run. */
export const anyRequests: fc.Arbitrary<ModelRequest> = fc
  .record(
    {
      model: fc.constantFrom('qwen3', 'other'),
      instructions: words,
      messages: fc
        .array(fc.oneof({ weight: 2, arbitrary: fc.tuple(user) }, fc.tuple(assistant), fc.tuple(tool), step), {
          maxLength: 12,
        })
        .map((pieces) => pieces.flat()),
      tools,
      maxOutputTokens: fc.constantFrom(1, 900, 20_000),
      outputSchema: schema,
    },
    { requiredKeys: ['messages', 'tools'] },
  )
  .map((request) => request as ModelRequest)
