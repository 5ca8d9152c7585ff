import type { JsonObject } from '@orra/core'
import fc from 'fast-check'

/** What a model said, whatever its server makes of it. */
export interface Truth {
  readonly thoughts: string
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly input: JsonObject }[]
}

/** How a server puts it. */
export interface Manner {
  readonly thoughtsIn: 'reasoning_content' | 'reasoning' | 'both' | 'text' | 'parts'
  readonly contentAs: 'text' | 'parts'
  readonly opening: readonly ('role' | 'no choices' | 'null content' | 'comment' | 'words' | 'nothing')[]
  readonly ids: 'own' | 'none' | 'empty' | 'null' | 'one'
  readonly index: 'right' | 'zero' | 'none'
  readonly written: 'pieces' | 'begun empty' | 'whole' | 'object' | 'twice' | 'begun with {}' | 'ended blank'
  readonly nameIn: 'first' | 'each'
  readonly reason: 'right' | 'stop' | 'null' | 'none'
  readonly done: boolean
  readonly usage: 'none' | 'null' | 'last' | 'each'
  readonly model: unknown
  readonly lineEnd: '\n' | '\r\n' | '\r'
  readonly between: '\n' | ''
  readonly pieceLength: number
}

const words = fc.oneof(
  fc.constantFrom('Hello', '日本 😀', 'a </think> b', 'x <think> y', '{"a":1}', 'data: [DONE]', '\u2028 \u0000'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
)

/** Text as a model says it: without the blank at its beginning that goes with marks of thoughts. */
const said = words.filter((text) => text.trim() !== '' && text.trimStart() === text && !text.startsWith('<'))

export const truths: fc.Arbitrary<Truth> = fc.record({
  thoughts: fc.oneof(
    fc.constant(''),
    words.filter((text) => !text.includes('</') && !text.endsWith('<')),
  ),
  text: fc.oneof(fc.constant(''), said),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom('look', 'move', 'look_up'),
      input: fc
        .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
        .map((input): JsonObject => JSON.parse(JSON.stringify(input))),
    }),
    { maxLength: 4 },
  ),
})

export const manners: fc.Arbitrary<Manner> = fc.record({
  thoughtsIn: fc.constantFrom('reasoning_content', 'reasoning', 'both', 'text', 'parts'),
  contentAs: fc.constantFrom('text', 'parts'),
  opening: fc.array(fc.constantFrom('role', 'no choices', 'null content', 'comment', 'words', 'nothing'), {
    maxLength: 4,
  }),
  ids: fc.constantFrom('own', 'none', 'empty', 'null', 'one'),
  index: fc.constantFrom('right', 'zero', 'none'),
  written: fc.constantFrom('pieces', 'begun empty', 'whole', 'object', 'twice', 'begun with {}', 'ended blank'),
  nameIn: fc.constantFrom('first', 'each'),
  reason: fc.constantFrom('right', 'stop', 'null', 'none'),
  done: fc.boolean(),
  usage: fc.constantFrom('none', 'null', 'last', 'each'),
  model: fc.constantFrom<unknown>('m-1', undefined, null, ''),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  between: fc.constantFrom('\n', ''),
  pieceLength: fc.integer({ min: 1, max: 12 }),
})

/** The stream in which a server of these manners says it. */
export function streamOf(truth: Truth, manner: Manner): string {
  const { lineEnd, between, done, reason } = manner
  const lines = [
    ...manner.opening.map((what) => openingOf(what, manner)),
    ...saidBy(truth, manner).map((delta) => lineOf(chunkOf({ delta, finish_reason: null }, manner))),
    lineOf(chunkOf({ delta: {}, ...reasonOf(truth, reason, done) }, manner)),
    ...(manner.usage === 'last' ? [lineOf({ choices: [], usage: COUNTED })] : []),
    ...(done ? ['data: [DONE]'] : []),
  ]
  return lines
    .map((line) => `${line}\n${between}`)
    .join('')
    .replaceAll('\n', lineEnd)
}

export const COUNTED = { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 }

function lineOf(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}`
}

function openingOf(what: Manner['opening'][number], manner: Manner): string {
  if (what === 'comment') return ': still here'
  if (what === 'words') return 'data: ping'
  if (what === 'nothing') return 'data: {}'
  if (what === 'no choices') return lineOf({ choices: [], prompt_filter_results: [] })
  return lineOf(
    chunkOf({ delta: what === 'role' ? { role: 'assistant' } : { role: 'assistant', content: null } }, manner),
  )
}

function chunkOf(choice: object, { model, usage }: Manner): object {
  const cost = usage === 'each' ? { usage: COUNTED } : usage === 'null' ? { usage: null } : {}
  return { object: 'chat.completion.chunk', ...(model === undefined ? {} : { model }), choices: [choice], ...cost }
}

/** Without a mark of the end, the reason is the only one. */
function reasonOf({ calls }: Truth, reason: Manner['reason'], done: boolean): object {
  if (done && reason === 'none') return {}
  if (done && reason === 'null') return { finish_reason: null }
  return { finish_reason: reason === 'right' && calls.length > 0 ? 'tool_calls' : 'stop' }
}

function saidBy({ thoughts, text, calls }: Truth, manner: Manner): readonly object[] {
  const { thoughtsIn, contentAs, pieceLength } = manner
  const inText = thoughtsIn === 'text' && thoughts !== ''
  const content = inText ? `<think>${thoughts}</think>\n\n${text}` : text
  return [
    ...(inText ? [] : cut(thoughts, pieceLength).map((piece) => thoughtAs(piece, thoughtsIn))),
    ...cut(content, pieceLength).map((piece) => ({
      content: contentAs === 'text' ? piece : [{ type: 'text', text: piece }],
    })),
    ...calls.flatMap((call, at) => callIn(call, at, manner)),
  ]
}

function thoughtAs(piece: string, thoughtsIn: Manner['thoughtsIn']): object {
  if (thoughtsIn === 'parts') return { content: [{ type: 'thinking', thinking: [{ type: 'text', text: piece }] }] }
  if (thoughtsIn === 'both') return { reasoning: piece, reasoning_content: piece }
  return { [thoughtsIn]: piece, content: null }
}

function callIn({ name, input }: Truth['calls'][number], at: number, manner: Manner): readonly object[] {
  const { ids, index, nameIn, pieceLength } = manner
  const id = { own: `call_${at}`, none: undefined, empty: '', null: null, one: 'call_0' }[ids]
  const place = { right: at, zero: 0, none: undefined }[index]
  return writtenAs(input, manner.written, pieceLength).map((piece, part) => {
    const named = part === 0 || (nameIn === 'each' && manner.written !== 'begun with {}') ? { name } : {}
    return { tool_calls: [{ index: place, id, type: 'function', function: { ...named, arguments: piece } }] }
  })
}

function writtenAs(input: JsonObject, written: Manner['written'], pieceLength: number): readonly unknown[] {
  const json = JSON.stringify(input)
  if (written === 'object') return [input]
  if (written === 'whole') return [json]
  if (written === 'twice') return [JSON.stringify(json)]
  const pieces = cut(json, pieceLength)
  if (written === 'begun with {}') return ['{}', ...pieces]
  if (written === 'ended blank') return [...pieces, ' ', '\n']
  return written === 'begun empty' ? ['', ...pieces] : pieces
}

function cut(text: string, length: number): readonly string[] {
  const characters = [...text]
  return characters.flatMap((_, at) => (at % length === 0 ? [characters.slice(at, at + length).join('')] : []))
}
