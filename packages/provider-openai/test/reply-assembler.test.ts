import { type ModelEvent, textOf } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replyAssembler } from '../src/responses/reply-assembler.ts'
import { call, completed, created, message, streamed, thought } from './reply-events.ts'

interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

/** What readers saw of a stream, and what came of it. */
function taken(events: readonly Event[]) {
  const reply = replyAssembler('gpt-5.2')
  const seen: ModelEvent[] = []
  for (const event of events) {
    if (!reply.isDone()) seen.push(...reply.take(event as never))
  }
  const saw = (type: string) => seen.flatMap((event) => (event.type === type && 'text' in event ? event.text : []))
  const { content } = reply.finish().message
  return { content, text: saw('text-delta').join(''), thoughts: saw('reasoning-delta').join('') }
}

/** The reply of a stream, which has to be what readers saw. */
function contentOf(...events: readonly Event[]) {
  const { content, text, thoughts } = taken(events)
  expect(text).toBe(textOf(content))
  expect(thoughts).toBe(thoughtsOf(content))
  return content
}

function thoughtsOf(content: ReturnType<typeof taken>['content']): string {
  return content.flatMap((part) => (part.type === 'reasoning' ? part.text : [])).join('')
}

const raw = (index: number, delta: string) => ({
  type: 'response.reasoning_text.delta',
  output_index: index,
  content_index: 0,
  delta,
})
const words = (index: number, delta: string) => ({ type: 'response.output_text.delta', output_index: index, delta })
const written = (index: number, more: object) => ({
  type: 'response.function_call_arguments.done',
  output_index: index,
  ...more,
})
const without = (events: readonly Event[], type: string) => events.filter((event) => event.type !== type)

describe('a streamed reply', () => {
  it('has the rest of a text of which not all was streamed', () => {
    expect(contentOf(created, ...streamed(message('Hello you'), 0, ['Hello']), completed())).toMatchObject([
      { text: 'Hello you' },
    ])
    expect(contentOf(created, ...streamed(thought(['One.', 'Two.']), 0, ['One.']), completed())).toMatchObject([
      { text: 'One.\n\nTwo.' },
    ])
  })

  it('keeps what was streamed where the item says something else', () => {
    expect(contentOf(created, ...streamed(message('Bye'), 0, ['Hello']), completed())).toMatchObject([
      { text: 'Hello' },
    ])
    const [begun, done] = streamed(thought(['Short.']), 0)
    expect(contentOf(created, begun as Event, raw(0, 'Long.'), done as Event, completed())).toMatchObject([
      { text: 'Long.', providerData: { openai: { encryptedContent: 'sealed', summary: ['Short.'] } } },
    ])
  })

  it('begins an item with its first words', () => {
    expect(contentOf(created, raw(0, 'Hm.'), words(1, 'Hi'), completed())).toMatchObject([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Hi' },
    ])
  })

  it('lets no later text out before an earlier one is done', () => {
    const first = streamed(message('One'), 0, ['O', 'ne'])
    const second = streamed(message('Two'), 1, ['Two'])
    const mixed = [...first.slice(0, 2), ...second, ...first.slice(2)]
    expect(contentOf(created, ...mixed, completed())).toMatchObject([{ text: 'One' }, { text: 'Two' }])
  })

  it('has the longer arguments of a call', () => {
    const all = streamed(call('a', '{"city":"Rome"}'), 0, ['{"city":'])
    const ending = written(0, { arguments: '{"city":"Rome"}' })
    const begun = without(all, 'response.output_item.done')
    expect(contentOf(created, ...begun, ending, completed())).toMatchObject([{ input: { city: 'Rome' } }])
    const emptied = streamed(call('a', ''), 0, ['{"city":"Rome"}'])
    expect(contentOf(created, ...emptied, completed())).toMatchObject([{ input: { city: 'Rome' } }])
    const named = written(0, { arguments: '{}', name: 'weather' })
    expect(contentOf(created, named, completed())).toMatchObject([{ type: 'tool-call', name: 'weather', input: {} }])
  })

  it('has what only the last event holds', () => {
    const output = [thought(['Hm.']), message('Hi'), call('a', '{}')]
    expect(contentOf(created, ...streamed(message('Hi'), 1, ['H']), completed({ output }))).toMatchObject([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Hi' },
      { type: 'tool-call', callId: 'a' },
    ])
  })

  it('has nothing twice where the last event counts otherwise', () => {
    const output = [thought(['Hm.']), message('Hi')]
    expect(contentOf(created, ...streamed(message('Hi'), 0, ['Hi']), completed({ output }))).toMatchObject([
      { type: 'text', text: 'Hi' },
    ])
  })
})

const ITEMS = [
  thought(['One.', 'Two.']),
  thought([], { content: [{ type: 'reasoning_text', text: 'Raw.' }] }),
  message('Hello you'),
  message(''),
  call('a', '{"city":"Rome"}'),
  { type: 'web_search_call', id: 'ws_1', content: [] },
]
const pieces = fc.array(fc.constantFrom('One.', 'Hello', ' you', '{"city":', 'else', ''), { maxLength: 3 })
const item = fc.tuple(fc.constantFrom(...ITEMS), pieces, fc.array(fc.nat({ max: 2 }), { maxLength: 2 }))
const events = fc.array(item, { maxLength: 4 }).chain((items) => {
  const all: readonly Event[] = items.flatMap(([one, said, places], index) => [
    ...streamed(one, index, said),
    ...places.map((place) => ({
      ...raw(index, 'Raw.'),
      ...(place > 0 ? { type: 'response.reasoning_summary_text.delta', summary_index: place } : {}),
    })),
  ])
  const output = fc.constantFrom(
    items.map(([one]) => one),
    items.map(([one]) => one).reverse(),
    [],
  )
  return fc.tuple(fc.oneof(fc.subarray([...all]), fc.shuffledSubarray([...all])), output)
})

describe('the deltas of a reply', () => {
  it('add up to it, in whatever order its events come, and whichever are left out', () => {
    const property = fc.property(events, ([some, output]) => {
      contentOf(created, ...some, completed({ output }))
    })
    fc.assert(property, { numRuns: 3000 })
  })
})
