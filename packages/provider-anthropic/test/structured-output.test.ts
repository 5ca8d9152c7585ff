import type { JsonObject } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { outputFormat } from '../src/output-format.ts'
import { ask, bob, collect, loopback } from './loopback.ts'

const Task = z.object({ title: z.string().min(3), days: z.number().optional() })
const closed: JsonObject = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }

describe('an answer by a schema', () => {
  it('is asked of the API in its own way, and comes as text', async () => {
    await using api = await loopback({ effort: 'low' })
    api.server.onMessage(/.*/, { content: '{"title":"Paint the door"}' })
    const orra = api.runtime()
    const { output } = await orra.run(bob, 'Next?', { output: Task })
    expect(output).toEqual({ title: 'Paint the door' })
    expect(api.bodies[0]).toMatchObject({
      output_config: {
        effort: 'low',
        format: {
          type: 'json_schema',
          schema: { type: 'object', additionalProperties: false, required: ['title'] },
        },
      },
    })
    expect(api.bodies[0]).not.toHaveProperty('tools')
    // What the API knows nothing of is said in words.
    expect(JSON.stringify(api.bodies[0]?.['output_config'])).toContain('minLength: 3')
  })

  it('is the input of a tool where the API would refuse the schema, and comes as text all the same', async () => {
    await using api = await loopback()
    api.server.onMessage(/.*/, { toolCalls: [{ name: 'final_answer', arguments: '{"red":1}' }] })
    const orra = api.runtime()
    const { output, text, reason } = await orra.run(bob, 'How many?', { output: z.record(z.string(), z.number()) })
    expect(output).toEqual({ red: 1 })
    expect({ text, reason }).toEqual({ text: '{"red":1}', reason: 'completed' })
    expect(api.bodies[0]).toMatchObject({ tools: [{ name: 'final_answer' }], tool_choice: { type: 'any' } })
    expect(api.bodies[0]).not.toHaveProperty('output_config')
  })

  it('is not forced on a model that thinks, which the API refuses', async () => {
    await using api = await loopback({ thinking: { type: 'adaptive' } })
    api.server.onMessage(/.*/, { content: '{}' })
    await collect(api.provider, ask('How many?', { outputSchema: { type: 'object' } }))
    expect(api.bodies[0]).toMatchObject({ tools: [{ name: 'final_answer' }] })
    expect(api.bodies[0]).not.toHaveProperty('tool_choice')
  })

  it('comes in one piece, too', async () => {
    await using api = await loopback({ streaming: false })
    api.server.onMessage(/.*/, { toolCalls: [{ name: 'final_answer', arguments: '{"a":1}' }] })
    const events = await collect(api.provider, ask('How many?', { outputSchema: { type: 'object' } }))
    expect(events).toMatchObject([
      { type: 'text-delta', text: '{"a":1}' },
      { type: 'finish', stopReason: 'stop' },
    ])
  })
})

describe('the API’s own way', () => {
  it.each<[string, JsonObject]>([
    ['takes any object', { type: 'object' }],
    ['takes fields that it does not name', { ...closed, additionalProperties: true }],
    ['takes fields of a type', { type: 'object', additionalProperties: { type: 'number' } }],
    ['speaks of itself', { ...closed, properties: { title: { $ref: '#' } } }],
    ['has a field of any type', { type: 'object', properties: { any: {} } }],
    ['has a list of anything', { type: 'object', properties: { list: { type: 'array' } } }],
    ['has a list of places', { type: 'object', properties: { list: { type: 'array', prefixItems: [] } } }],
    ['has several types at once', { type: 'object', properties: { a: { type: ['string', 'null'] } } }],
    ['has a choice of nothing', { ...closed, properties: { title: { enum: [] } } }],
    ['has a union of nothing', { ...closed, properties: { title: { anyOf: [] } } }],
    ['has properties that are none', { type: 'object', properties: null }],
    ['demands what it does not describe', { ...closed, required: ['title', 'days'] }],
    ['has a union beside its properties', { ...closed, anyOf: [closed] }],
    ['has constants beside its properties', { ...closed, const: 1 }],
    ['is a union at its top', { type: 'object', anyOf: [closed, closed] }],
    [
      'has more optional fields than it takes',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`f${n}`, { type: 'null' }])),
      },
    ],
  ])('is not for a schema that %s', (_, schema) => {
    expect(outputFormat(schema)).toBeUndefined()
  })

  it.each<[string, JsonObject]>([
    ['closed objects', closed],
    ['lists of them', { type: 'object', properties: { all: { type: 'array', items: closed } }, required: ['all'] }],
    ['choices', { type: 'object', properties: { a: { anyOf: [closed, { type: 'null' }] }, b: { enum: ['x', 1] } } }],
  ])('is for %s', (_, schema) => {
    expect(outputFormat(schema)).toMatchObject({ type: 'json_schema', schema: { additionalProperties: false } })
  })

  it('is never asked for in a way that throws, whatever the schema', () => {
    const word = fc.constantFrom(
      'type',
      'properties',
      'required',
      'items',
      'anyOf',
      'oneOf',
      'enum',
      'const',
      '$ref',
      'a',
    )
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>('object', 'array', 'string', null, 1, [], ['a'], {}, closed),
        fc.dictionary(word, tie('schema'), { maxKeys: 4 }),
        fc.array(tie('schema'), { maxLength: 2 }),
      ),
    }))
    fc.assert(
      fc.property(schema, (properties) => {
        const format = outputFormat({ type: 'object', properties } as JsonObject)
        expect(format === undefined || format.type === 'json_schema').toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
