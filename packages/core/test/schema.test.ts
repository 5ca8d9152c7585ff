import { defineTool, type Tool } from '@orra/core'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bob, codeOf, logOf, scripted } from './harness.ts'

const about = { name: 'move', description: 'Moves a task.', readOnly: true } as const

/** One tool, described by each library that people use; `id` is inferred as a number in all but the last. */
const TOOLS: readonly (readonly [string, Tool])[] = [
  ['zod', defineTool({ ...about, input: z.object({ id: z.number() }), execute: ({ id }) => `moved ${id + 1}` })],
  ['arktype', defineTool({ ...about, input: type({ id: 'number' }), execute: ({ id }) => `moved ${id + 1}` })],
  [
    'valibot',
    defineTool({
      ...about,
      input: toStandardJsonSchema(v.object({ id: v.number() })),
      execute: ({ id }) => `moved ${id + 1}`,
    }),
  ],
  [
    'JSON Schema',
    defineTool({
      ...about,
      input: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] },
      execute: ({ id }) => `moved ${Number(id) + 1}`,
    }),
  ],
]

describe.each(TOOLS)('a tool described with %s', (_, move) => {
  it('is shown to the model, and gets input that fits', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'move', input: { id: 1 } }] }, 'Done.'], {
      tools: [move],
    })
    await orra.run(bob, 'Go')
    expect(provider.requests[0]?.tools[0]?.inputSchema).toEqual({
      type: 'object',
      properties: { id: { type: 'number' } },
      required: ['id'],
    })
    expect(await logOf(orra)).toContain('tool: result call-1: moved 2')
  })

  it.each([{ id: 'one' }, {}, [], 'text', null])('answers input that does not fit: %j', async (input) => {
    const { orra } = scripted([{ toolCalls: [{ name: 'move', input }] }, 'Sorry.'], { tools: [move] })
    await orra.run(bob, 'Go')
    expect((await logOf(orra)).find((line) => line.startsWith('tool: '))).toContain("does not fit the tool's schema")
  })
})

describe('a schema', () => {
  it('that gives no JSON Schema is refused, with what to do', async () => {
    const input = v.object({ id: v.number() }) as never
    expect(await codeOf(() => scripted([], { tools: [defineTool({ ...about, input, execute: () => '' })] }))).toBe(
      'tool.invalid',
    )
  })

  it('of JSON may refer to its own parts', async () => {
    const input = {
      type: 'object',
      properties: { ids: { type: 'array', items: { $ref: '#/$defs/id' }, minItems: 1 } },
      required: ['ids'],
      additionalProperties: false,
      $defs: { id: { type: 'integer', minimum: 1 } },
    } as const
    const tool = defineTool({ ...about, input, execute: () => 'moved' })
    for (const [ids, fits] of [
      [[1, 2], true],
      [[0], false],
      [[], false],
      [['1'], false],
    ] as const) {
      const { orra } = scripted([{ toolCalls: [{ name: 'move', input: { ids: [...ids] } }] }, 'Done.'], {
        tools: [tool],
      })
      await orra.run(bob, 'Go')
      expect((await logOf(orra)).includes('tool: result call-1: moved')).toBe(fits)
    }
  })
})
