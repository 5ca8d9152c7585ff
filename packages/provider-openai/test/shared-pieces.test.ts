import type { JsonObject, JsonValue, Message } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callIds, toCallId } from '../src/call-ids.ts'
import { toInputSchema } from '../src/input-schema.ts'
import { pairToolCalls } from '../src/pair-tool-calls.ts'
import { isStrictSchema } from '../src/strict-schema.ts'
import { toToolName } from '../src/tool-name.ts'
import { checkSchema } from './legal-schema.ts'
import { modelRequests } from './responses-requests.ts'

const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] })
const call = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  content: ids.map((callId) => ({ type: 'tool-call', callId, name: 'look', input: {} })),
})
const result = (callId: string, text: string): Message => ({
  role: 'tool',
  content: [{ type: 'tool-result', callId, name: 'look', content: [{ type: 'text', text }] }],
})
const outcomes = (message: Message | undefined) =>
  message?.role === 'tool' ? message.content.map(({ callId, isError }) => [callId, isError ?? false]) : undefined

describe('pairing', () => {
  it('leaves alone what is in order', () => {
    const messages = [user('Hi'), call('a'), result('a', 'A')]
    const paired = pairToolCalls(messages)
    expect(paired).toEqual(messages)
    expect(paired[1]).toBe(messages[1])
  })

  it('puts results where they belong, and says which are missing', () => {
    const paired = pairToolCalls([call('a', 'b', 'c'), user('Wait'), result('b', 'B'), result('a', 'A')])
    expect(paired.map(({ role }) => role)).toEqual(['assistant', 'tool', 'user'])
    expect(outcomes(paired[1])).toEqual([
      ['a', false],
      ['b', false],
      ['c', true],
    ])
  })

  it('has words for results without a call, and for a second one', () => {
    const paired = pairToolCalls([result('z', 'Z'), call('a'), result('a', 'A'), result('a', 'again')])
    expect(paired.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user'])
    expect(paired[0]).toEqual(paired[3])
  })

  it('tells calls of one id apart', () => {
    const paired = pairToolCalls([call('a'), result('a', '1'), call('a'), result('a', '2'), call('a', 'a')])
    expect(paired.filter(({ role }) => role === 'tool').map(outcomes)).toEqual([
      [['a', false]],
      [['a-2', false]],
      [
        ['a-3', true],
        ['a-4', true],
      ],
    ])
  })

  it('answers every call at once, whatever there was', () => {
    const property = fc.property(modelRequests, ({ messages }) => {
      const paired = pairToolCalls(messages)
      const seen = new Set<string>()
      for (const [index, message] of paired.entries()) {
        if (message.role === 'tool') expect(paired[index - 1]?.role).toBe('assistant')
        if (message.role !== 'assistant') continue
        const ids = message.content.flatMap((part) => (part.type === 'tool-call' ? [part.callId] : []))
        for (const id of ids) {
          expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
          expect(seen.has(id)).toBe(false)
          seen.add(id)
        }
        const next = paired[index + 1]
        const answered = next?.role === 'tool' ? next.content.map(({ callId }) => callId) : []
        expect(answered).toEqual(ids)
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})

describe('ids and names', () => {
  it('become what every server takes, the same from the same', () => {
    expect(toCallId('toolu_01')).toBe('toolu_01')
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (id) => {
      expect(toCallId(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      expect(toCallId(id)).toBe(toCallId(id))
      expect(toToolName(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    })
    fc.assert(property)
  })

  it('are told apart within 64 characters, which the Responses API takes', () => {
    const next = callIds()
    const long = 'l'.repeat(64)
    const ids = Array.from({ length: 12 }, () => next(long))
    expect(new Set(ids).size).toBe(12)
    expect(Math.max(...ids.map(({ length }) => length))).toBe(64)
  })
})

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})

describe('a schema for strict mode', () => {
  it.each<[string, JsonObject]>([
    ['of nothing', object({})],
    ['of plain values', object({ a: { type: 'string' }, b: { type: ['number', 'null'], minimum: 0 } })],
    ['of lists and objects', object({ a: { type: 'array', items: object({ b: { enum: ['x'], type: 'string' } }) } })],
    ['of choices', object({ a: { anyOf: [{ type: 'string' }, { type: 'null' }] } })],
    ['with definitions', object({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { type: 'string', format: 'uuid' } } })],
    ['of itself', object({ a: { anyOf: [{ $ref: '#' }, { type: 'null' }] } }, { $schema: 'https://json-schema.org' })],
  ])('may be one %s', (_, schema) => {
    expect(isStrictSchema(schema)).toBe(true)
  })

  it.each<[string, JsonObject]>([
    ['that allows more', { type: 'object', properties: {} }],
    ['with an optional property', object({ a: { type: 'string' } }, { required: [] })],
    ['with one inside', object({ a: object({ b: { type: 'string' } }, { required: [] }) })],
    ['with one in a list', object({ a: { type: 'array', items: { type: 'object', properties: {} } } })],
    ['with one in a definition', object({}, { $defs: { x: { type: 'object' } } })],
    ['that is a choice', object({}, { anyOf: [object({})] })],
    ['with a keyword it does not know', object({ a: { type: 'string', minLength: 1 } })],
    ['with a default', object({ a: { type: 'string', default: 'x' } })],
    ['with a format it does not know', object({ a: { type: 'string', format: 'uri' } })],
    ['of anything', object({ a: {} })],
    ['of a list of anything', object({ a: { type: 'array' } })],
    ['with a tuple', object({ a: { type: 'array', prefixItems: [] } })],
    ['from elsewhere', object({ a: { $ref: 'https://example.com' } })],
    ['with words beside a reference', object({ a: { $ref: '#', description: 'It.' } })],
    ['to nowhere', object({ a: { $ref: '#/$defs/x' } })],
    ['to what is no schema', object({ a: { $ref: '#/properties' } })],
    ['with a requirement of nothing', object({ a: { type: 'string' } }, { required: ['a', 'b'] })],
    ['with a requirement twice', object({ a: { type: 'string' } }, { required: ['a', 'a'] })],
    ['with no values', object({ a: { type: 'string', enum: [] } })],
    ['with no choices', object({ a: { anyOf: [] } })],
    ['of no object', { type: 'array', items: { type: 'string' } }],
    ['too deep', object({ a: object({ a: object({ a: object({ a: object({ a: object({}) }) }) }) }) })],
    ['too large', object(Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, { type: 'string' }])))],
    ['too talkative', object({ a: { type: 'string', enum: ['x'.repeat(15_000)] } })],
  ])('may not be one %s', (_, schema) => {
    expect(isStrictSchema(schema)).toBe(false)
  })
})

/** Schemas with lists in them, so many levels deep. */
function listSchemas(levels: number): fc.Arbitrary<JsonObject> {
  const type = fc.constantFrom<JsonValue>('array', ['array', 'null'], 'object', 'string')
  if (levels === 0) return fc.record({ type })
  const inner = listSchemas(levels - 1)
  const several = fc.array(inner, { maxLength: 2 })
  const items = fc.oneof<fc.Arbitrary<JsonValue>[]>(fc.boolean(), inner, several)
  const properties = fc.dictionary(fc.constantFrom('a', 'items', 'type'), inner, { maxKeys: 2 })
  return fc.record({ type, items, prefixItems: several, anyOf: several, properties }, { requiredKeys: [] })
}

describe('a schema for a tool', () => {
  it('is an object at its top, with what its branches have', () => {
    const schema: JsonObject = {
      type: 'object',
      anyOf: [
        { properties: { kind: { const: 'a' }, more: {} }, required: ['kind', 'more'] },
        { properties: { kind: { const: 'b' } }, required: ['kind'] },
      ],
    }
    expect(toInputSchema(schema)).toEqual({
      type: 'object',
      properties: { kind: { anyOf: [{ const: 'a' }, { const: 'b' }] }, more: {} },
      required: ['kind'],
    })
  })

  it('has properties, and items in every list, and keeps what looks like one', () => {
    expect(toInputSchema({ type: 'object' })).toEqual({ type: 'object', properties: {} })
    const property = { type: 'array', default: { type: 'array' } }
    expect(toInputSchema({ type: 'object', properties: { a: property, type: { type: 'string' } } })).toEqual({
      type: 'object',
      properties: { a: { ...property, items: {} }, type: { type: 'string' } },
    })
  })

  it.each<[string, JsonObject, JsonValue]>([
    ['of nothing said', { type: ['array', 'null'] }, {}],
    ['of anything', { type: 'array', items: true }, {}],
    ['that are a tuple', { type: 'array', prefixItems: [{ a: 1 }, { b: 2 }] }, { anyOf: [{ a: 1 }, { b: 2 }] }],
    ['that are an older tuple', { type: 'array', items: [{ a: 1 }, { b: 2 }] }, { anyOf: [{ a: 1 }, { b: 2 }] }],
    [
      'of a tuple and more',
      { type: 'array', prefixItems: [{ a: 1 }], items: { b: 2 } },
      { anyOf: [{ a: 1 }, { b: 2 }] },
    ],
    ['of a tuple of one', { type: 'array', prefixItems: [{ a: 1 }], items: false }, { a: 1 }],
    ['of an empty tuple', { type: 'array', items: [] }, {}],
  ])('has one schema for items %s', (_, list, items) => {
    expect(toInputSchema({ type: 'object', properties: { list } })).toMatchObject({
      properties: { list: { type: list['type'], items } },
    })
  })

  it('is taken with lists in it, whatever they hold', () => {
    const inner = listSchemas(3)
    const property = fc.property(inner, (list) => {
      const problems: string[] = []
      const schema = toInputSchema({ type: 'object', properties: { list } })
      checkSchema(schema, false, 'schema', (where, what) => void problems.push(`${where} ${what}`))
      expect(problems).toEqual([])
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('is taken, whatever it was', () => {
    const property = fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const problems: string[] = []
      const schema = { ...(value as JsonObject | null), type: 'object' }
      checkSchema(toInputSchema(schema), false, 'schema', (where, what) => void problems.push(`${where} ${what}`))
      expect(problems).toEqual([])
    })
    fc.assert(property, { numRuns: 500 })
  })
})
