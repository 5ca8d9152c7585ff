import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ModelEvent, ModelRequest } from '@orra/core'
import { describe, expect, it, vi } from 'vitest'
import {
  answered,
  ask,
  calls,
  chunk,
  collect,
  compatible,
  DONE,
  deltasOf,
  end,
  failureOf,
  heard,
  played,
  server,
  sse,
  text,
  wholeOf,
} from './chat-wire.ts'

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Ends each reply a little after it has said that this was all. */
async function openServer() {
  const sockets = new Set<unknown>()
  const api = createServer((request, response) => {
    sockets.add(request.socket)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(sse(text('Hi'), end()) + DONE)
    void turns(20).then(() => response.end())
  })
  await new Promise<void>((resolve) => void api.listen(0, '127.0.0.1', resolve))
  const { port } = api.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      api.closeAllConnections()
      await new Promise((resolve) => api.close(resolve))
    },
  }
}

const look = (written: unknown, more: object = {}) => ({ function: { name: 'look', arguments: written }, ...more })

function callsOf(events: readonly ModelEvent[]) {
  return wholeOf(events).message.content.flatMap((part) => (part.type === 'tool-call' ? [[part.name, part.input]] : []))
}

function idsOf(events: readonly ModelEvent[]): readonly string[] {
  return wholeOf(events).message.content.flatMap((part) => (part.type === 'tool-call' ? [part.callId] : []))
}

describe('what a reply cost', () => {
  const usageOf = async (...chunks: readonly object[]) => wholeOf(await played(text('Hello!'), end(), ...chunks)).usage
  const usage = (counts: object | null) => ({ ...chunk({}), choices: [], usage: counts })
  const counted = { inputTokens: 90, outputTokens: 7, cacheReadTokens: 0, cacheWriteTokens: 0 }

  it.each<[string, object[]]>([
    ['in the last chunk', [usage({ prompt_tokens: 90, completion_tokens: 7, total_tokens: 97 })]],
    ['in a chunk with a choice', [{ ...chunk({}), usage: { prompt_tokens: 90, completion_tokens: 7 } }]],
    ['in every chunk, so far', [1, 4, 7].map((made) => usage({ prompt_tokens: 90, completion_tokens: made }))],
    ['in two chunks, apart', [usage({ prompt_tokens: 90 }), usage({ completion_tokens: 7 })]],
    ['and then null', [usage({ prompt_tokens: 90, completion_tokens: 7 }), usage(null)]],
    ['and then zeros', [usage({ prompt_tokens: 90, completion_tokens: 7 }), usage({ prompt_tokens: 0 })]],
    ['in its choice', [chunk({}, { usage: { prompt_tokens: 90, completion_tokens: 7 } })]],
    ['in a field of its own', [{ ...chunk({}), x_groq: { usage: { prompt_tokens: 90, completion_tokens: 7 } } }]],
    ['with thoughts in the total alone', [usage({ prompt_tokens: 90, completion_tokens: 2, total_tokens: 97 })]],
    ['with other details', [usage({ prompt_tokens: 90, completion_tokens: 7, prompt_tokens_details: null })]],
  ])('is read: %s', async (_, chunks) => {
    expect(await usageOf(...chunks)).toEqual(counted)
  })

  it.each([
    [{ prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 20 } }, 64, 20],
    [{ prompt_cache_hit_tokens: 30 }, 30, 0],
    [{ prompt_tokens_details: { cached_tokens: 1000, cache_write_tokens: 20 } }, 90, 0],
    [{ prompt_tokens_details: { cached_tokens: null, cache_write_tokens: 1000 } }, 0, 90],
  ])(
    'says what of it a cache had or got, never more than all: %o',
    async (details, cacheReadTokens, cacheWriteTokens) => {
      const cost = await usageOf(usage({ prompt_tokens: 90, completion_tokens: 7, ...details }))
      expect(cost).toEqual({ ...counted, cacheReadTokens, cacheWriteTokens })
    },
  )

  it.each<[string, object[]]>([
    ['nothing', []],
    ['null', [usage(null)]],
    ['zeros', [usage({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })]],
    ['no counts', [usage({ prompt_tokens: '90', completion_tokens: -3.5, total_tokens: null })]],
  ])('is estimated by the text where the server says %s', async (_, chunks) => {
    const words = 'word '.repeat(800)
    const events = await heard(sse(text(words), end(), ...chunks) + DONE, {}, ask('x'.repeat(8000)))
    const { inputTokens, outputTokens } = wholeOf(events).usage
    expect(outputTokens).toBe(1000)
    expect(inputTokens).toBeGreaterThan(1999)
    expect(inputTokens).toBeLessThan(2050)
  })

  it('is estimated where one of two counts is missing, with thoughts and calls', async () => {
    const thought = chunk({ reasoning_content: 'Hm, '.repeat(100) })
    const events = await played(
      thought,
      calls(look(`{"city":"${'R'.repeat(389)}"}`)),
      end(),
      usage({ prompt_tokens: 9 }),
    )
    expect(wholeOf(events).usage).toMatchObject({ inputTokens: 9, outputTokens: 201 })
  })

  it('is not estimated by the bytes of an image', async () => {
    const request: ModelRequest = {
      tools: [],
      messages: [
        { role: 'user', content: [{ type: 'image', mediaType: 'image/png', data: PNG + 'A'.repeat(400_000) }] },
      ],
    }
    const events = await heard(sse(text('A cat.'), end()) + DONE, {}, request)
    expect(wholeOf(events).usage.inputTokens).toBeGreaterThan(500)
    expect(wholeOf(events).usage.inputTokens).toBeLessThan(5000)
  })
})

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAYAAACp8Z5+'

describe('tool calls', () => {
  const two = [
    ['look', { city: 'Rome' }],
    ['look', { city: 'Oslo' }],
  ]
  const rome = '{"city":"Rome"}'
  const oslo = '{"city":"Oslo"}'

  it.each<[string, object[]]>([
    ['in pieces', [calls(look('', { index: 0, id: 'a' })), piece(0, '{"city":'), piece(0, '"Rome"}'), ...second(1)]],
    ['each in one piece', [calls(look(rome, { index: 0, id: 'a' })), calls(look(oslo, { index: 1, id: 'b' }))]],
    ['both in one chunk', [calls(look(rome, { index: 0, id: 'a' }), look(oslo, { index: 1, id: 'b' }))]],
    ['without ids', [calls(look(rome, { index: 0 }), look(oslo, { index: 1 }))]],
    ['with empty ids', [calls(look(rome, { index: 0, id: '' }), look(oslo, { index: 1, id: '' }))]],
    ['with one id', [calls(look(rome, { index: 0, id: 'a' }), look(oslo, { index: 1, id: 'a' }))]],
    ['without an index', [calls(look(rome, { id: 'a' })), calls(look(oslo, { id: 'b' }))]],
    ['without an index in one chunk', [calls(look(rome, { id: 'a' }), look(oslo, { id: 'b' }))]],
    ['without index and id', [calls(look(rome)), calls(look(oslo))]],
    ['all at index 0', [calls(look(rome, { index: 0, id: 'a' })), calls(look(oslo, { index: 0, id: 'b' }))]],
    ['all at index 0 in one chunk', [calls(look(rome, { index: 0 }), look(oslo, { index: 0 }))]],
    [
      'all at index 0 with one id',
      [calls(look(rome, { index: 0, id: 'a' })), calls(look(oslo, { index: 0, id: 'a' }))],
    ],
    ['at index 0 in pieces', [calls(look('', { index: 0, id: 'a' })), piece(0, rome), ...second(0)]],
    ['at index 0 and begun empty', [calls(look('', { index: 0 })), piece(0, rome), ...second(0)]],
    [
      'in pieces that belong by their ids',
      [
        calls(look('{"city":', { id: 'a' })),
        calls(look('{"city":', { id: 'b' })),
        byId('a', '"Rome"}'),
        byId('b', '"Oslo"}'),
      ],
    ],
    [
      'with another id in each piece',
      [calls(look('{"city":', { index: 0, id: 'a' })), piece(0, '"Rome"}', 'x'), ...second(1)],
    ],
    [
      'with the name in each piece',
      [calls(look('{"city":', { index: 0 })), calls(look('"Rome"}', { index: 0 })), ...second(1)],
    ],
    [
      'with name and id in each piece',
      [calls(look('{"city":', { index: 0, id: 'a' })), calls(look('"Rome"}', { index: 0, id: 'a' })), ...second(1)],
    ],
    [
      'with the name once more at the end',
      [calls(look(rome, { index: 0 })), calls(look('', { index: 0 })), ...second(1)],
    ],
    [
      'with the name and another id in each piece',
      [calls(look('{"city":', { index: 0, id: 'a' })), calls(look('"Rome"}', { index: 0, id: 'x' })), ...second(1)],
    ],
    [
      'with blanks at the end of each',
      [
        calls(look(rome, { index: 0, id: 'a' }), look(oslo, { index: 1, id: 'b' })),
        calls(look(' \n', { index: 0, id: 'a' }), look('', { index: 1, id: 'b' })),
        piece(1, ' '),
      ],
    ],
    [
      'with the name in each piece, all at index 0, and blanks at the end of each',
      [
        ...[rome, ' ', '\n'].map((piece) => calls(look(piece, { index: 0, id: 'a' }))),
        ...['{"city":', '"Oslo"}', ' ', '\n'].map((piece) => calls(look(piece, { index: 0, id: 'b' }))),
      ],
    ],
    [
      'with a blank at the end that has no id',
      [calls(look(rome, { index: 0, id: 'a' })), calls(look(' ', { index: 0 })), ...second(1)],
    ],
    [
      'with blanks between',
      [
        calls(look('', { index: 0, id: 'a' })),
        calls(look(' ', { index: 0, id: 'a' })),
        piece(0, rome, 'a'),
        ...second(1),
      ],
    ],
    [
      'begun with no arguments',
      [calls(look('{}', { index: 0, id: 'a' })), piece(0, '{"city":'), piece(0, '"Rome"}'), ...second(1)],
    ],
    [
      'begun with an empty object',
      [calls(look({}, { index: 0, id: 'a' })), piece(0, ' '), piece(0, rome), ...second(1)],
    ],
    ['with the name after the id', [calls({ index: 0, id: 'a' }), calls(look(rome, { index: 0 })), ...second(1)]],
    [
      'with null for what is missing',
      [calls(look(rome, { index: 0, id: null })), calls(look(null, { index: 1 })), piece(1, oslo)],
    ],
    ['with objects', [calls(look({ city: 'Rome' }, { index: 0 }), look({ city: 'Oslo' }, { index: 1 }))]],
    ['with objects and no index', [calls(look({ city: 'Rome' })), calls(look({ city: 'Oslo' }))]],
  ])('are told apart: %s', async (_, chunks) => {
    const events = await played(chunk({ role: 'assistant', content: null }), ...chunks, end('tool_calls'))
    expect(callsOf(events)).toEqual(two)
    expect(new Set(idsOf(events)).size).toBe(2)
    expect(wholeOf(events).stopReason).toBe('tool-calls')
  })

  function piece(index: number, written: string, id?: string) {
    return calls({ index, ...(id ? { id } : {}), function: { arguments: written } })
  }

  function second(index: number) {
    return [calls(look('', { index, id: 'b' })), piece(index, '{"city":"Os'), piece(index, 'lo"}')]
  }

  function byId(id: string, written: string) {
    return calls({ id, function: { arguments: written } })
  }

  it('of one tool without arguments are as many as there are places', async () => {
    const events = await played(calls(look('', { index: 0, id: 'a' }), look(' ', { index: 1, id: 'b' })), end())
    expect(callsOf(events)).toEqual([
      ['look', {}],
      ['look', {}],
    ])
  })

  it('of two names at one place are two', async () => {
    const events = await played(calls(look('', { index: 0 })), calls({ index: 0, function: { name: 'move' } }), end())
    expect(callsOf(events)).toEqual([
      ['look', {}],
      ['move', {}],
    ])
  })

  it.each<[string, unknown, unknown]>([
    ['nothing', undefined, {}],
    ['empty', '', {}],
    ['blank', ' \n', {}],
    ['null', 'null', {}],
    ['an object itself', { city: 'Rome' }, { city: 'Rome' }],
    ['JSON of JSON', JSON.stringify('{"city":"Rome"}'), { city: 'Rome' }],
    ['JSON of text', '"Rome"', 'Rome'],
    ['no JSON', '{"city":', '{"city":'],
    ['a list', '[1]', [1]],
    ['with text after it', '{} and so on', '{} and so on'],
  ])('have what was written as input: %s', async (_, written, input) => {
    const streamed = await played(calls(look(written, { index: 0, id: 'a' })), end('tool_calls'))
    expect(callsOf(streamed)).toEqual([['look', input]])
    const whole = await answered({
      choices: [{ message: { tool_calls: [look(written)] }, finish_reason: 'tool_calls' }],
    })
    expect(callsOf(whole)).toEqual([['look', input]])
  })

  it('have ids that no other reply has, though the server counts from 0 each time', async () => {
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => played(calls(look(rome, { index: 0, id: 'call_0' })), end('tool_calls'))),
    )
    const ids = replies.flatMap(idsOf)
    expect(new Set(ids).size).toBe(50)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/)
  })

  it('in the way of old are calls', async () => {
    const called = (written: string, name?: string) =>
      chunk({ function_call: { arguments: written, ...(name ? { name } : {}) } })
    const events = await played(called('', 'look'), called('{"city":'), called('"Rome"}'), end('function_call'))
    expect(callsOf(events)).toEqual([['look', { city: 'Rome' }]])
    expect(wholeOf(events).stopReason).toBe('tool-calls')
    const message = { role: 'assistant', content: null, function_call: { name: 'look', arguments: rome } }
    expect(callsOf(await answered({ choices: [{ message, finish_reason: 'function_call' }] }))).toEqual([two[0]])
  })

  it('without a name are no reply', async () => {
    const failure = await failureOf(
      played(calls({ index: 0, id: 'a', function: { arguments: '{}' } }), end('tool_calls')),
    )
    expect(failure).toMatchObject({ code: 'provider.bad-reply', retryable: false })
  })

  it('keep what a server wants back', async () => {
    const extra_content = { google: { thought_signature: 's' } }
    const events = await played(calls(look(rome, { index: 0, extra_content })), end('tool_calls'))
    const [part] = wholeOf(events).message.content
    expect(part).toMatchObject({ providerData: { 'openai-compatible': { extra_content } } })
  })
})

describe('text', () => {
  it.each<[string, object[]]>([
    ['after a chunk with a role alone', [chunk({ role: 'assistant' }), text('Hi '), text('Bob')]],
    ['after null', [text(null), text('Hi '), text(null), text('Bob')]],
    ['after a chunk without choices', [{ ...chunk({}), choices: [] }, text('Hi Bob')]],
    ['between chunks without anything', [{}, text('Hi '), { choices: null }, text('Bob'), { id: 'x' }]],
    ['in parts', [text([{ type: 'text', text: 'Hi ' }]), text([{ type: 'text', text: 'Bob' }])]],
    ['in one part', [text({ type: 'text', text: 'Hi Bob' })]],
    ['as text in a list', [text(['Hi ', 'Bob'])]],
    ['with whole messages', [chunk({ content: 'Hi ' }), { choices: [{ message: { content: 'Bob' } }] }]],
  ])('comes whole: %s', async (_, chunks) => {
    const events = await played(...chunks, end())
    expect(deltasOf(events)).toBe('Hi Bob')
    expect(wholeOf(events)).toMatchObject({
      message: { content: [{ type: 'text', text: 'Hi Bob' }] },
      stopReason: 'stop',
    })
  })

  it('that is none is a reply without content', async () => {
    expect(wholeOf(await played(text(null), end())).message.content).toEqual([])
    expect(wholeOf(await answered({ choices: [{ message: { content: null } }] })).message.content).toEqual([])
  })
})

describe('thoughts', () => {
  const thought = async (...chunks: readonly object[]) => {
    const events = await played(...chunks, end())
    const { content } = wholeOf(events).message
    expect(deltasOf(events, 'reasoning-delta')).toBe(
      content.map((part) => (part.type === 'reasoning' ? part.text : '')).join(''),
    )
    expect(deltasOf(events)).toBe(content.map((part) => (part.type === 'text' ? part.text : '')).join(''))
    return content.map((part) => ('text' in part ? `${part.type}: ${part.text}` : part.type))
  }

  it.each<[string, object[]]>([
    ['in reasoning_content', [chunk({ reasoning_content: 'Hm' }), chunk({ reasoning_content: '.' }), text('Yes')]],
    ['in reasoning', [chunk({ reasoning: 'Hm.' }), text('Yes')]],
    ['in both', [chunk({ reasoning: 'Hm.', reasoning_content: 'Hm.' }), text('Yes')]],
    ['beside null', [chunk({ reasoning: 'Hm.', reasoning_content: null, content: null }), text('Yes')]],
    ['beside empty text', [chunk({ reasoning: 'Hm.', content: '' }), text('Yes')]],
    ['among parts', [text([{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }]), text('Yes')]],
    [
      'among parts as text',
      [
        text([
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'Yes' },
        ]),
      ],
    ],
    ['in the text', [text('<think>Hm.</think>Yes')]],
    ['in the text, with blanks', [text('\n<think>Hm.</think>\n\nYes')]],
    ['in the text, cut anywhere', [...'\n<think>Hm.</think>\n\nYes'].map(text)],
    ['in the text, cut in the marks', ['<th', 'ink>Hm', '.</', 'think', '>\n', '\nYes'].map(text)],
  ])('are told from text: %s', async (_, chunks) => {
    expect(await thought(...chunks)).toEqual(['reasoning: Hm.', 'text: Yes'])
  })

  it.each([
    [['<think>Hm.'], ['reasoning: Hm.']],
    [['<think>Hm.</thi'], ['reasoning: Hm.</thi']],
    [['<think></think>Yes'], ['text: Yes']],
    [['<thi'], ['text: <thi']],
    [['<thing> is no mark'], ['text: <thing> is no mark']],
    [['Write <think>Hm.</think> so'], ['text: Write <think>Hm.</think> so']],
    [['<think>a<b</th</think>Yes </think> and <think>'], ['reasoning: a<b</th', 'text: Yes </think> and <think>']],
    [['  '], ['text:   ']],
  ])('in marks that are not as they should be: %o', async (pieces, parts) => {
    expect(await thought(...pieces.map(text))).toEqual(parts)
    expect(await thought(...[...pieces.join('')].map(text))).toEqual(parts)
  })
})

describe('the end', () => {
  const called = calls(look('{}', { index: 0, id: 'a' }))

  it.each<[string | null, object, string]>([
    ['stop', text('Hi'), 'stop'],
    ['eos', text('Hi'), 'stop'],
    ['tool_calls', text('Hi'), 'stop'],
    [null, text('Hi'), 'stop'],
    ['length', text('Hi'), 'length'],
    ['max_tokens', text('Hi'), 'length'],
    ['content_filter', text('Hi'), 'refused'],
    ['stop', chunk({ refusal: 'No.' }), 'refused'],
    ['tool_calls', called, 'tool-calls'],
    ['stop', called, 'tool-calls'],
    ['function_call', called, 'tool-calls'],
    ['STOP', called, 'tool-calls'],
    [null, called, 'tool-calls'],
    ['length', called, 'length'],
    ['content_filter', called, 'refused'],
  ])('said to be %s is told by what is there', async (reason, said, stopReason) => {
    expect(wholeOf(await played(said, end(reason))).stopReason).toBe(stopReason)
  })

  it('of a refusal has its words', async () => {
    const events = await played(chunk({ refusal: 'I will ' }), chunk({ refusal: 'not.' }), end())
    expect(deltasOf(events)).toBe('I will not.')
    expect(wholeOf(events).message.content).toEqual([{ type: 'text', text: 'I will not.' }])
  })

  it('that the server forgets to mark is one when a reason came', async () => {
    expect(deltasOf(await heard(sse(text('Hi'), end())))).toBe('Hi')
  })

  it('without a reason is one when the server marks it', async () => {
    expect(deltasOf(await heard(sse(text('Hi')) + DONE))).toBe('Hi')
  })

  it('without both is a reply cut short', async () => {
    const failure = await failureOf(heard(sse(chunk({ role: 'assistant' }), text('Hi'))))
    expect(failure).toMatchObject({ code: 'provider.connection', retryable: true })
  })

  it.each(['error', 'abort'])('said to be %s is a failure of the server', async (reason) => {
    const failure = await failureOf(played(text('Hi'), end(reason)))
    expect(failure).toMatchObject({ code: 'provider.unavailable', retryable: true })
  })

  it('is one, though the connection breaks after it', async () => {
    const cost = { ...chunk({}), choices: [], usage: { prompt_tokens: 90, completion_tokens: 7 } }
    const { text: said, usage } = await heardThenBroken(text('Hi'), end(), cost)
    expect(said).toBe('Hi')
    expect(usage).toMatchObject({ inputTokens: 90, outputTokens: 7 })
    expect((await heardThenBroken(text('Hi'), end())).text).toBe('Hi')
    const failure = await failureOf(heardThenBroken(text('Hi')))
    expect(failure).toMatchObject({ code: 'provider.connection', retryable: true })
  })

  async function heardThenBroken(...chunks: readonly object[]) {
    const pieces = [new TextEncoder().encode(sse(...chunks))]
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.pop()
        if (piece) controller.enqueue(piece)
        else controller.error(new TypeError('terminated'))
      },
    })
    const events = await collect(compatible({ fetch: server(body) }), ask('Hello'))
    return { text: deltasOf(events), usage: wholeOf(events).usage }
  }

  it('is one, though more comes after it, or the connection breaks then', async () => {
    for (const after of ['endless', 'broken'] as const) {
      const pieces = [new TextEncoder().encode(sse(text('Hi'), end()) + DONE)]
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const piece = pieces.pop()
          if (!piece && after === 'broken') return controller.error(new TypeError('terminated'))
          controller.enqueue(piece ?? new TextEncoder().encode(sse(text('Ho'))))
        },
      })
      expect(deltasOf(await collect(compatible({ fetch: server(body) }), ask('Hello')))).toBe('Hi')
    }
  })

  it('is read to its end, where that comes soon', async () => {
    const cancel = vi.fn()
    const pieces = [new TextEncoder().encode('\n'), new TextEncoder().encode(sse(text('Hi'), end()) + DONE)]
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const piece = pieces.pop()
          await turns(2)
          if (piece) controller.enqueue(piece)
          else controller.close()
        },
        cancel,
      },
      { highWaterMark: 0 },
    )
    expect(deltasOf(await collect(compatible({ fetch: server(body) }), ask('Hello')))).toBe('Hi')
    expect(cancel).not.toHaveBeenCalled()
  })

  it('leaves the connection to the next call', async () => {
    await using api = await openServer()
    for (const words of ['One', 'Two', 'Three']) {
      const provider = compatible({ baseURL: api.url })
      expect(deltasOf(await collect(provider, ask(words)))).toBe('Hi')
      // A connection is free one turn after its reply.
      await turns(1)
    }
    expect(api.connections()).toBe(1)
  })

  it('is the end, though the connection stays open', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(sse(text('Hi'), end()) + DONE)),
      cancel: () => resolve(),
    })
    expect(deltasOf(await collect(compatible({ fetch: server(body) }), ask('Hello')))).toBe('Hi')
    await closed
  })
})

describe('a stream', () => {
  const lines = [text('Hi '), text('Bob'), end()].map((one) => `data: ${JSON.stringify(one)}`)

  it.each([
    ['with comments', `: OPENROUTER PROCESSING\n\n${lines.join('\n\n: ping\n\n')}\n\n`],
    ['with line ends of another kind', `${lines.join('\r\n\r\n')}\r\n\r\n`],
    ['with line ends of a third kind', `${lines.join('\r\r')}\r\r`],
    ['without blank lines', `${lines.join('\n')}\n`],
    ['without a space after the colon', `${lines.join('\n\n').replaceAll('data: ', 'data:')}\n\n`],
    ['without an end of its last line', lines.join('\n\n')],
    ['with names and ids', lines.map((line, id) => `id: ${id}\nevent: message\nretry: 5\n${line}\n\n`).join('')],
    ['with events that say nothing', `data:\n\n${lines.join('\n\ndata: \n\n')}\n\ndata: null\n\n`],
    ['with its data in several lines', `${lines.join('\n\n').replaceAll(',"', '\ndata: ,"')}\n\n`],
    ['with a byte order mark', `\ufeff${lines.join('\n\n')}\n\n`],
    ['with words in the place of data', `data: ping\n\n${lines.join('\n\ndata: keep-alive\n\n')}\n\ndata: ping\n\n`],
    ['with words and no blank lines', `data: ping\n${lines.join('\ndata: ping\n')}\n`],
    ['with a mark of the end that has blanks', `${lines.slice(0, 2).join('\n\n')}\n\ndata:  [DONE] \n\n`],
  ])('is read %s', async (_, body) => {
    expect(deltasOf(await heard(body))).toBe('Hi Bob')
    expect(deltasOf(await heard(body.replaceAll('\n\n\n', '\n\n')))).toBe('Hi Bob')
  })

  it('may be cut between any two bytes', async () => {
    const lines = sse(text('日本 😀'), text(' Grüße'), end()).replaceAll(',"', '\ndata: ,"')
    const bytes = new TextEncoder().encode(lines.replaceAll('\n', '\r\n') + DONE)
    for (let at = 1; at < bytes.length; at += 1) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(bytes.slice(0, at))
          controller.enqueue(bytes.slice(at))
          controller.close()
        },
      })
      expect(deltasOf(await collect(compatible({ fetch: server(body) }), ask('Hello')))).toBe('日本 😀 Grüße')
    }
  })

  it('may be a reply in one piece', async () => {
    const whole = { choices: [{ message: { role: 'assistant', content: 'Hi Bob' }, finish_reason: 'stop' }] }
    expect(deltasOf(await answered(whole, { streaming: true }))).toBe('Hi Bob')
  })

  it('may come where none was asked for', async () => {
    expect(deltasOf(await heard(sse(text('Hi Bob'), end()), { streaming: false }))).toBe('Hi Bob')
  })

  it.each([
    ['a page', '<!doctype html><html><body>Welcome</body></html>', 'text/html'],
    ['a page called JSON', '<html></html>', 'application/json'],
    ['JSON of another kind', '{"ok":true}', 'application/json'],
    ['a list of models', '{"object":"list","data":[]}', 'application/json'],
    ['nothing', '', 'text/event-stream'],
    ['nothing, called JSON', '', 'application/json'],
    ['choices of nothing', '{"choices":[]}', 'application/json'],
    ['an empty choice', '{"choices":[{}]}', 'application/json'],
    ['an end alone', DONE, 'text/event-stream'],
    ['data that is no JSON', 'data: {"choices":\n\n', 'text/event-stream'],
    [
      'data that is no JSON, in the middle',
      `${sse(text('Hi'))}data: {"choices":\n\n${sse(end())}`,
      'text/event-stream',
    ],
    ['words at the end', `${sse(text('Hi'))}data: Internal Server Error\n\n`, 'text/event-stream'],
    ['words alone', 'data: Internal Server Error\n\n', 'text/event-stream'],
    ['JSON that is no object', '"Hi"', 'application/json'],
  ])('that is none is told apart: %s', async (_, body, type) => {
    for (const streaming of [true, false]) {
      const fetch = server(body, { status: 200, headers: { 'content-type': type } })
      const failure = await failureOf(collect(compatible({ fetch, streaming }), ask('Hello')))
      expect(failure).toMatchObject({ code: 'provider.bad-reply', retryable: false })
    }
  })
})

describe('an error where a reply should be', () => {
  const KINDS: readonly (readonly [string, object, string])[] = [
    ['with a status as its code', { error: { code: 429, message: 'Rate limit exceeded' } }, 'provider.rate-limited'],
    ['with a status as text', { error: { code: '503', message: 'No instances' } }, 'provider.unavailable'],
    ['with a key that is refused', { error: { code: 401, message: 'No auth' } }, 'provider.auth'],
    [
      'in the words of vLLM',
      { object: 'error', message: 'bad', type: 'BadRequestError', code: 400 },
      'provider.bad-request',
    ],
    ['with a type', { error: { type: 'rate_limit_exceeded', message: 'slow' } }, 'provider.rate-limited'],
    ['as text', { error: 'something went wrong' }, 'provider.unavailable'],
    [
      'of the provider behind',
      { error: { code: 502, message: 'Provider returned error' }, choices: [{ finish_reason: 'error' }] },
      'provider.unavailable',
    ],
    [
      'about the length',
      { error: { code: 400, message: "This model's maximum context length is 8192 tokens." } },
      'provider.context-too-long',
    ],
  ]

  it.each(KINDS)('%s, in a stream', async (_, body, code) => {
    expect(await failureOf(heard(sse(text('Hi'), body)))).toMatchObject({ code })
  })

  it.each(KINDS)('%s, with a status that says all is well', async (_, body, code) => {
    expect(await failureOf(answered(body))).toMatchObject({ code })
    expect(await failureOf(answered(body, { streaming: true }))).toMatchObject({ code })
    expect(await failureOf(answered([body]))).toMatchObject({ code })
  })

  it('by the name of its event', async () => {
    const failure = await failureOf(heard('event: error\ndata: {"message":"Overloaded","code":529}\n\n'))
    expect(failure).toMatchObject({ code: 'provider.unavailable' })
  })

  it('is none when it is null', async () => {
    const [hi, over] = [text('Hi'), end()].map((one) => ({ ...one, error: null }))
    expect(deltasOf(await played({ ...hi }, { ...over }))).toBe('Hi')
  })
})

describe('the model', () => {
  it('is the one that the server names, else the one that was asked', async () => {
    expect(wholeOf(await played(text('Hi'), end())).model).toBe('m-1')
    for (const model of [undefined, null, '', 5]) {
      const nameless = [text('Hi'), end()].map((one) => ({ ...one, model }))
      expect(wholeOf(await played(...nameless)).model).toBe('m')
      const events = await heard(sse(...nameless) + DONE, {}, ask('Hello', { model: 'other' }))
      expect(wholeOf(events).model).toBe('other')
    }
  })
})
