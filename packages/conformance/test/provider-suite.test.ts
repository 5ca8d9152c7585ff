import { type ModelEvent, OrraError, type Provider } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { documentedProvider } from '../../../test/documented-provider.ts'
import type { Test } from '../src/provider-suite/scenario.ts'
import { servedFetch } from '../src/provider-suite/served-fetch.ts'
import { STREAM_TOPICS, TOPICS } from '../src/provider-suite/topics.ts'

const { ollama, ollamaWire: wire } = await documentedProvider()

/** A way to be wrong: in what the provider does, or in how it reads the wire. */
interface Fault {
  readonly stream?: (made: Provider['stream']) => Provider['stream']
  readonly fetch?: (made: typeof fetch) => typeof fetch
  /** Its scenario, which is to notice. */
  readonly noticed: string
}

const FAULTS: { readonly [fault: string]: Fault } = {
  'no end': { stream: events((event) => (event.type === 'finish' ? [] : [event])), noticed: 'a reply: is its text' },
  'two ends': {
    stream: events((event) => (event.type === 'finish' ? [event, event] : [event])),
    noticed: 'a reply: is its text',
  },
  'something after the end': {
    stream: events((event) => (event.type === 'finish' ? [event, { type: 'text-delta', text: '' }] : [event])),
    noticed: 'a reply: is its text',
  },
  'a delta twice': {
    stream: events((event) => (event.type === 'text-delta' ? [event, event] : [event])),
    noticed: 'a reply: of many pieces is all of them, in order',
  },
  'always stopped': {
    stream: events((event) => [event.type === 'finish' ? { ...event, stopReason: 'stop' } : event]),
    noticed: 'a reply: that ran into its limit says so',
  },
  'another model': {
    stream: events((event) => [event.type === 'finish' ? { ...event, model: 'mine' } : event]),
    noticed: 'a reply: names the model that answered',
  },
  'no counts': {
    stream: events((event) => [
      event.type === 'finish' ? { ...event, usage: { ...event.usage, outputTokens: 0 } } : event,
    ]),
    noticed: 'usage: is what was sent and what was made',
  },
  'ids by number': {
    stream: withCalls(() => 'call_0'),
    noticed: 'a tool call: gets an id where the model gives none, another one in each reply',
  },
  'all at the end': { stream: heldBack, noticed: 'a stream: gives what is there while the rest is not' },
  'never connected': {
    stream: (made) => (request, options) => made(request, { ...options, connected: undefined }),
    noticed: 'a request: is connected once, when the status and the headers are there',
  },
  'connected too early': {
    stream: (made) => (request, options) => {
      options?.connected?.()
      return made(request, { ...options, connected: undefined })
    },
    noticed: 'a request: is connected once, when the status and the headers are there',
  },
  'deaf to signals': {
    stream: (made) => (request, options) => made(request, { ...options, signal: undefined }),
    noticed: 'an aborted signal: while the server is silent ends the call',
  },
  'an abort as an error of its own': {
    stream: rethrowing((error) => (error instanceof OrraError ? error : failed('provider.connection'))),
    noticed: 'an aborted signal: while the server is silent ends the call',
  },
  'one code for all': {
    stream: rethrowing((error) => (error instanceof OrraError ? failed('provider.bad-request') : error)),
    noticed: 'a failure: of the kind overloaded is provider.unavailable',
  },
  'telling what it was asked': {
    stream: (made) => (request, options) =>
      rethrowing((error) => (error instanceof OrraError ? failed(error.code, JSON.stringify(request)) : error))(made)(
        request,
        options,
      ),
    noticed: 'a failure: of the kind bad-request is provider.bad-request',
  },
  'no wait told': {
    fetch: responses(({ body, status }) => new Response(body, { status })),
    noticed: 'a failure: of the kind rate-limited says how long to wait, where the server does',
  },
  'a call before it is asked for': {
    fetch: (made) => made,
    stream: (made) => (request, options) => {
      const stream = made(request, options)[Symbol.asyncIterator]()
      const first = stream.next()
      first.catch(() => {})
      return (async function* () {
        const { value, done } = await first
        if (!done) yield value
        yield* { [Symbol.asyncIterator]: () => stream }
      })()
    },
    noticed: 'a request: is made when it is asked for, and not before',
  },
  'no instructions': {
    stream:
      (made) =>
      ({ instructions: _, ...request }, options) =>
        made(request, options),
    noticed: 'a request: carries all that it was asked',
  },
  'its own model only': {
    stream:
      (made) =>
      ({ model: _, ...request }, options) =>
        made(request, options),
    noticed: 'a request: names another model when it is asked for one',
  },
  'no schema': {
    stream:
      (made) =>
      ({ outputSchema: _, ...request }, options) =>
        made(request, options),
    noticed: 'an answer by a schema: is asked for in the words of the API, and its text is JSON',
  },
  'a changed request': {
    stream: (made) => (request, options) => {
      ;(request.messages as unknown[]).push({ role: 'user', content: [] })
      return made(request, options)
    },
    noticed: 'a reply: is its text',
  },
  'thoughts of others told': {
    stream: (made) => (request, options) => {
      const told = JSON.parse(JSON.stringify(request).replaceAll('"type":"reasoning"', '"type":"text"'))
      return made(told, options)
    },
    noticed: 'a conversation that others began: may hold reasoning that only its own provider can read',
  },
  'half characters sent': {
    fetch: (made) => (input, init) =>
      made(input, { ...init, body: String(init?.body).replaceAll('\ufffd', '\\ud83d') }),
    noticed: 'a conversation that others began: may hold replies that were cut short, or are empty',
  },
  'characters torn at the borders of chunks': {
    fetch: responses((response) => throughChunks(response, (chunk) => Buffer.from(new TextDecoder().decode(chunk)))),
    noticed: 'the borders of chunks: do not matter when every byte comes alone',
  },
  'a cut reply taken for whole': {
    fetch: responses((response) => ended(response, '\n{"message":{"content":""},"done":true}\n')),
    noticed: 'a stream: that ends before the reply does is a lost connection, wherever',
  },
  'a connection that stays open': {
    fetch: responses((response) => uncancellable(response)),
    noticed: 'a stream: that is left early closes its connection',
  },
  'tries of its own': {
    fetch: (made) => async (input, init) => made(input, init).catch(() => made(input, init)),
    noticed: 'the connection: that fails leaves the provider as it was',
  },
  'one reply for all': {
    fetch: (made) => {
      let first: Promise<string> | undefined
      return async (input, init) => {
        first ??= made(input, init).then((response) => response.text())
        return new Response(await first)
      }
    },
    noticed: 'several calls at once: do not mix, though their pieces come in turns',
  },
}

describe('the suite for providers', () => {
  it('has nothing to say of a sound one', async () => {
    const failures: string[] = []
    for (const [place, test] of scenarios()) if (await isFailing(test, {})) failures.push(place)
    expect(failures).toEqual([])
  })

  it.each(Object.entries(FAULTS))('notices %s', async (_, fault) => {
    const test = scenarios().get(fault.noticed)
    if (!test) throw new Error('There is no such scenario.')
    expect(await isFailing(test, fault)).toBe(true)
  })
})

function scenarios(): ReadonlyMap<string, Test> {
  const all = new Map<string, Test>()
  for (const [topic, register] of Object.entries({ ...TOPICS, ...STREAM_TOPICS })) {
    register((title, test) => void all.set(`${topic}: ${title}`, test))
  }
  return all
}

const SKIPPED = Symbol('skipped')

async function isFailing(test: Test, { stream = (made) => made, fetch: changed = (made) => made }: Partial<Fault>) {
  const running = test({
    wire,
    skip: () => {
      throw SKIPPED
    },
    serve(answer) {
      const { fetch, calls } = servedFetch(answer)
      const provider = ollama({ model: 'llama3.2', fetch: changed(fetch) })
      return { provider: { ...provider, stream: stream(provider.stream) }, calls }
    },
  })
  return Promise.race([
    running.then(
      () => false,
      (error: unknown) => error !== SKIPPED,
    ),
    standstill(),
  ])
}

/** A scenario that waits in vain has nothing more to do; this many turns are far more than any takes. */
async function standstill(): Promise<true> {
  for (let turn = 0; turn < 20_000; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  return true
}

function events(changed: (event: ModelEvent) => readonly ModelEvent[]): NonNullable<Fault['stream']> {
  return (made) =>
    async function* (request, options) {
      for await (const event of made(request, options)) yield* changed(event)
    }
}

function withCalls(id: () => string): NonNullable<Fault['stream']> {
  return events((event) => {
    if (event.type !== 'finish') return [event]
    const content = event.message.content.map((part) => (part.type === 'tool-call' ? { ...part, callId: id() } : part))
    return [{ ...event, message: { ...event.message, content } }]
  })
}

function heldBack(made: Provider['stream']): Provider['stream'] {
  return async function* (request, options) {
    const held: ModelEvent[] = []
    for await (const event of made(request, options)) held.push(event)
    yield* held
  }
}

function rethrowing(changed: (error: unknown) => unknown): NonNullable<Fault['stream']> {
  return (made) =>
    async function* (request, options) {
      try {
        yield* made(request, options)
      } catch (error) {
        throw changed(error)
      }
    }
}

function failed(code: OrraError['code'], message = 'It failed.'): OrraError {
  return new OrraError(code, message, { details: { provider: 'ollama', status: 400 } as never })
}

function responses(changed: (response: Response) => Response): NonNullable<Fault['fetch']> {
  return (made) => async (input, init) => changed(await made(input, init))
}

function throughChunks(response: Response, changed: (chunk: Uint8Array) => Uint8Array): Response {
  const transform = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => controller.enqueue(changed(chunk)),
  })
  return new Response(response.body?.pipeThrough(transform) ?? null, response)
}

function ended(response: Response, last: string): Response {
  if (!response.ok) return response
  const transform = new TransformStream<Uint8Array, Uint8Array>({
    flush: (controller) => controller.enqueue(Buffer.from(last)),
  })
  return new Response(response.body?.pipeThrough(transform) ?? null, response)
}

function uncancellable(response: Response): Response {
  const chunks = response.body?.[Symbol.asyncIterator]()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = (await chunks?.next()) ?? { done: true }
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  return new Response(body, response)
}
