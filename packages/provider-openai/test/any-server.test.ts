import { isOrraError, type JsonValue, type ModelEvent } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COUNTED, manners, streamOf, truths } from './any-server.ts'
import { ask, collect, compatible, deltasOf, failureOf, server, wholeOf } from './chat-wire.ts'

const RUNS = { numRuns: 1000 }

/** A stream that comes in pieces cut at these bytes. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return new ReadableStream({
    start(controller) {
      for (const [index, from] of places.entries()) controller.enqueue(bytes.slice(from, places[index + 1] ?? from))
      controller.close()
    },
  })
}

function hear(bytes: Uint8Array, cuts: readonly number[], streaming = true) {
  return collect(compatible({ fetch: server(inPieces(bytes, cuts)), streaming }), ask('Hello'))
}

/** What must hold of every reply, whatever came over the wire. */
function expectLegal(events: readonly ModelEvent[]) {
  const { message, stopReason, usage, model } = wholeOf(events)
  expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1)
  const joined = (kind: string) =>
    message.content.map((part) => (part.type === kind && 'text' in part ? part.text : '')).join('')
  expect(deltasOf(events)).toBe(joined('text'))
  expect(deltasOf(events, 'reasoning-delta')).toBe(joined('reasoning'))
  const calls = message.content.filter((part) => part.type === 'tool-call')
  expect(new Set(calls.map(({ callId }) => callId)).size).toBe(calls.length)
  for (const { callId, name, input } of calls) {
    expect(callId).toMatch(/^[A-Za-z0-9]{9}$/)
    expect(name).not.toBe('')
    expect(input).not.toBeUndefined()
  }
  expect(['stop', 'tool-calls', 'length', 'refused']).toContain(stopReason)
  if (calls.length === 0) expect(stopReason).not.toBe('tool-calls')
  for (const count of Object.values(usage)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
  expect(usage.inputTokens).toBeGreaterThan(0)
  if (message.content.length > 0) expect(usage.outputTokens).toBeGreaterThan(0)
  expect(model).toMatch(/\S/)
}

describe('whatever the manners of a server', () => {
  it('what the model said is what is heard', async () => {
    await fc.assert(
      fc.asyncProperty(truths, manners, fc.array(fc.nat(), { maxLength: 12 }), async (truth, manner, cuts) => {
        const events = await hear(new TextEncoder().encode(streamOf(truth, manner)), cuts)
        expectLegal(events)
        const { message, stopReason, usage } = wholeOf(events)
        expect(deltasOf(events)).toBe(truth.text)
        expect(deltasOf(events, 'reasoning-delta')).toBe(truth.thoughts)
        const heard: readonly { readonly name: string; readonly input: JsonValue }[] = message.content.flatMap(
          (part) => (part.type === 'tool-call' ? [{ name: part.name, input: part.input }] : []),
        )
        expect(heard).toEqual(truth.calls)
        expect(stopReason).toBe(truth.calls.length > 0 ? 'tool-calls' : 'stop')
        if (manner.usage === 'each' || manner.usage === 'last') {
          expect(usage).toMatchObject({ inputTokens: COUNTED.prompt_tokens, outputTokens: COUNTED.completion_tokens })
        }
      }),
      RUNS,
    )
  })
})

/** Damage: bytes that are lost, changed or put in; or lines of a server that has lost its mind. */
const damages = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('lose' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('change' as const), at: fc.nat(), to: fc.nat({ max: 255 }) }),
  fc.record({
    kind: fc.constant('line' as const),
    at: fc.nat(),
    line: fc.oneof(
      fc.constantFrom(
        ...['<html>', 'data: <html>', 'event: error\ndata: {}', 'data: {"error":{"code":500}}', 'data: {"error":"no"}'],
        ...[
          'data: {"choices":{}}',
          'data: {"choices":[null]}',
          'data: {"choices":[{"delta":5}]}',
          'data: []',
          'data: [DONE]',
        ],
        ...['data: {"choices":[{"delta":{"tool_calls":{}}}]}', 'data: {"choices":[{"delta":{"tool_calls":[null,5]}}]}'],
        ...['data: {"choices":[{"delta":{"content":{"a":[1]}}}]}', 'data: {"usage":{"prompt_tokens":1e99}}'],
        ...['data: {"choices":[{"finish_reason":5,"delta":{"reasoning":[],"refusal":{}}}]}', 'data: {"model":[]}'],
      ),
      fc.json().map((json) => `data: ${json}`),
      fc.json().map((json) => `data: {"choices":[{"delta":{"content":${json},"tool_calls":${json}}}],"usage":${json}}`),
    ),
  }),
)

type Damage = typeof damages extends fc.Arbitrary<infer D> ? D : never

function damaged(bytes: Buffer, damage: Damage): Buffer {
  const at = damage.at % (bytes.length + 1)
  switch (damage.kind) {
    case 'cut':
      return bytes.subarray(0, at)
    case 'lose':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + damage.length)])
    case 'change':
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([damage.to]), bytes.subarray(at + 1)])
    case 'line': {
      const begin = bytes.indexOf('\n', at) + 1
      return Buffer.concat([bytes.subarray(0, begin), Buffer.from(`${damage.line}\n\n`), bytes.subarray(begin)])
    }
  }
}

describe('whatever becomes of a reply', () => {
  it('it is a whole and legal one, or a typed error', async () => {
    const outcomes = { whole: 0, failed: 0 }
    await fc.assert(
      fc.asyncProperty(
        truths,
        manners,
        fc.array(damages, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.boolean(),
        async (truth, manner, harm, cuts, streaming) => {
          const bytes = harm.reduce(damaged, Buffer.from(streamOf(truth, manner)))
          let events: readonly ModelEvent[] = []
          const failure = await failureOf(
            hear(bytes, cuts, streaming).then((heard) => {
              events = heard
            }),
          )
          if (failure === 'nothing thrown') {
            outcomes.whole += 1
            return expectLegal(events)
          }
          outcomes.failed += 1
          expect(isOrraError(failure) && failure.code).toMatch(/^provider\.(?!unconfigured)/)
        },
      ),
      RUNS,
    )
    expect(outcomes.whole).toBeGreaterThan(50)
    expect(outcomes.failed).toBeGreaterThan(50)
  })
})
