import type { AssistantMessage, ContentPart, Message, ModelRequest, ToolMessage, ToolSpec } from '@orra/core'
import fc from 'fast-check'
import { gif, jpeg, pdf, png, webp } from './media.ts'

const HALF = '\ud83d'
const CALL_IDS = ['a', 'b', 'c', 'a-2', 'toolu_1', 'call:1', '', 'é', `half${HALF}`, 'l'.repeat(64), 'l'.repeat(65)]
const NAMES = ['look', 'move_task', 'gone', 'a.b', '', 'x'.repeat(80), HALF]

const words = fc.oneof(
  fc.constantFrom(
    'Hello',
    '日本 😀',
    '',
    ' ',
    '\n\t',
    '\u0085\u001c',
    HALF,
    `cut${HALF}`,
    'trailing  ',
    '"cache_control":',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)

const IMAGES = [
  ...[png(1, 1), png(2000, 2000), png(2001, 4), png(8000, 8000), png(8001, 1), png(0, 7), gif(30, 40), webp(300, 200)],
  ...[jpeg(4032, 3024), jpeg(640, 480, 400_000), png(5, 5).replace(/.{20}/g, '$&\n'), png(5, 5).slice(0, 20)],
  ...['', 'aGk=', 'no base64!', `${png(5, 5)}=`, 'PHN2Zz48L3N2Zz4='],
]
const FILES = [
  ...[pdf(1), pdf(60), pdf(100), pdf(101), pdf(9, { packed: true }), pdf(2, { encrypted: true }), pdf(0)],
  ...['', 'aGk=', 'IA==', 'e30=', '//8=', '%%%'],
]
const URLS = ['https://example.com/a', 'http://example.com/a', 'data:image/png;base64,aGk=', '', `https://a.b/${HALF}`]
const IMAGE_TYPES = [
  'image/png',
  'image/jpeg',
  'image/jpg',
  'image/gif',
  'image/webp',
  'image/svg+xml',
  'text/plain',
  HALF,
]
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
const crowd = fc
  .tuple(part, fc.integer({ min: 15, max: 120 }))
  .map(([one, count]) => Array<ContentPart>(count).fill(one))
const content = fc.oneof({ weight: 30, arbitrary: fc.array(part, { maxLength: 4 }) }, crowd)

const ITEM_IDS = ['rs_1', 'rs_2', 'msg_1', 'msg_2', 'fc_1', 'fc_2', 'fc_3']
const madeBy = (model: string, more: object = {}) => ({ openai: { id: 'rs_1', model, items: 2, ...more } })
const itemIds = fc
  .tuple(fc.constantFrom(...ITEM_IDS), fc.constantFrom(1, 2, 2, 3))
  .map(([id, items]) => ({ openai: { id, model: 'gpt-5.2', items } }))

const reasoning = fc
  .tuple(
    words,
    fc.constantFrom<object>(
      ...[madeBy('gpt-5.2', { encryptedContent: 's' }), madeBy('gpt-5.2'), madeBy('other', { encryptedContent: 's' })],
      ...[
        madeBy('gpt-5.2', { encryptedContent: 's', summary: ['a', 'b'] }),
        madeBy('gpt-5.2', { encryptedContent: 5 }),
      ],
      ...[{}, { anthropic: { signature: 's' } }, { openai: { id: '' } }, madeBy('gpt-5.2', { encryptedContent: HALF })],
    ),
  )
  .map(([thought, providerData]) => ({ type: 'reasoning', text: thought, providerData }) as never)

const input = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({}, { [HALF]: [HALF] }, 'no object', null))
const call = fc
  .tuple(fc.constantFrom(...CALL_IDS), fc.constantFrom(...NAMES), input, fc.option(itemIds))
  .map(
    ([callId, name, given, providerData]) => ({ type: 'tool-call', callId, name, input: given, providerData }) as never,
  )
const answerText = fc
  .tuple(text, fc.option(itemIds))
  .map(([said, providerData]) => ({ ...said, ...(providerData ? { providerData } : {}) }))

const result = (callIds: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...callIds), fc.constantFrom(...NAMES), content, fc.boolean())
    .map(
      ([callId, name, answer, isError]) => ({ type: 'tool-result', callId, name, content: answer, isError }) as const,
    )

const assistant = fc
  .array(fc.oneof(answerText, reasoning, call), { maxLength: 5 })
  .map((parts) => ({ role: 'assistant', content: parts }) as AssistantMessage)
const user = content.map((said): Message => ({ role: 'user', content: said }))
const tool = fc
  .array(result(CALL_IDS), { maxLength: 3 })
  .map((results): ToolMessage => ({ role: 'tool', content: results }))

function thought(id: string, items: number) {
  const providerData = { openai: { id: `rs_${id}`, model: 'gpt-5.2', items, encryptedContent: 'sealed' } }
  return { type: 'reasoning', text: 'Hm.', providerData } as const
}

/** Calls as a run makes them: thought about, made at once, answered in any order, now and then not all of them. */
const step = fc
  .tuple(
    fc.boolean(),
    fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 12 }),
    fc.nat({ max: 9 }),
    fc.array(part, { maxLength: 2 }),
  )
  .chain(([thinks, ids, lost, answer]) =>
    fc.shuffledSubarray(ids, { minLength: lost === 0 ? 0 : ids.length }).map((answered): readonly Message[] => [
      {
        role: 'assistant',
        content: [
          ...(thinks ? [thought(ids[0] ?? '', ids.length + 1)] : []),
          ...ids.map(
            (callId) =>
              ({
                type: 'tool-call',
                callId,
                name: 'look',
                input: {},
                providerData: { openai: { id: `fc_${callId}`, model: 'gpt-5.2', items: ids.length + Number(thinks) } },
              }) as const,
          ),
        ],
      },
      ...answered.map(
        (callId): Message => ({
          role: 'tool',
          content: [{ type: 'tool-result', callId, name: 'look', content: answer }],
        }),
      ),
    ]),
  )

const SCHEMAS: readonly ToolSpec['inputSchema'][] = [
  { type: 'object' },
  { type: 'object', properties: { city: { type: 'string', description: HALF } }, required: ['city'] },
  {
    type: 'object',
    anyOf: [
      { type: 'object', properties: { kind: { const: 'a' }, more: {} }, required: ['kind', 'more'] },
      { type: 'object', properties: { kind: { const: 'b' } }, required: ['kind'] },
    ],
  },
  { type: 'object', allOf: [{ properties: { b: {} }, required: ['b'] }], oneOf: [true] },
  { type: 'object', properties: { list: { type: 'array' } }, additionalProperties: false, required: ['list'] },
  { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false, required: ['a'] },
  { type: 'object', properties: { a: { type: 'string', minLength: 1 } }, additionalProperties: false, required: ['a'] },
]

const tools = fc.array(
  fc
    .tuple(fc.constantFrom(...NAMES), words, fc.constantFrom(...SCHEMAS))
    .map(([name, description, inputSchema]): ToolSpec => ({ name, description, inputSchema })),
  { maxLength: 3 },
)

/** Requests as no core should make them: any parts in any order, and among them whole steps of a run. */
export const modelRequests: fc.Arbitrary<ModelRequest> = fc
  .record(
    {
      model: fc.constantFrom('gpt-5.2', 'gpt-4.1'),
      instructions: words,
      messages: fc
        .array(fc.oneof({ weight: 2, arbitrary: fc.tuple(user) }, fc.tuple(assistant), fc.tuple(tool), step), {
          maxLength: 12,
        })
        .map((pieces) => pieces.flat()),
      tools,
      maxOutputTokens: fc.constantFrom(1, 900, 20_000),
      outputSchema: fc.constantFrom(...SCHEMAS),
    },
    { requiredKeys: ['messages', 'tools'] },
  )
  .map((request) => request as ModelRequest)

const heavy = fc
  .constantFrom<ContentPart>(
    ...[png(9, 9, 9_000_000), png(2500, 9, 14_900_000), png(9, 9, 16_000_000)].map(
      (data) => ({ type: 'image', mediaType: 'image/png', data }) as const,
    ),
    ...[pdf(1, { moreBytes: 22_000_000 }), pdf(70, { moreBytes: 5_000_000 })].map(
      (data) => ({ type: 'file', mediaType: 'application/pdf', data }) as const,
    ),
  )
  .map((one) => ({ ...one }))

/** Requests whose media are, one by one, about as large as they may be, and together often larger. */
export const heavyRequests: fc.Arbitrary<ModelRequest> = fc
  .array(fc.tuple(heavy, assistant), { maxLength: 7 })
  .map((turns) => ({
    messages: turns.flatMap(([one, answer]): readonly Message[] => [{ role: 'user', content: [one] }, answer]),
    tools: [],
  }))
