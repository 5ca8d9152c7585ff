import { defineTool, Namespace, type Tool, type ToolContext } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const vic = Namespace.of('company', 'viewer', 'vic')

function tool(name: string, execute: (input: never, context: ToolContext) => unknown, hints: Partial<Tool> = {}): Tool {
  return { ...defineTool({ name, description: name, execute: execute as never }), ...hints }
}

const resultLines = async (orra: Parameters<typeof logOf>[0], namespace = bob) =>
  (await logOf(orra, namespace)).filter((line) => line.startsWith('tool'))

describe('a tool call', () => {
  it('gets checked input, the caller’s namespace and the call’s id', async () => {
    const seen: unknown[] = []
    const look = defineTool({
      name: 'look',
      description: 'Looks.',
      input: z.object({ depth: z.number().default(3) }),
      readOnly: true,
      execute: ({ depth }, { namespace, callId, signal }) => {
        seen.push(depth, namespace.key, callId, signal.aborted)
        return [{ type: 'image', mediaType: 'image/png', data: 'aGk=' }]
      },
    })
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'look' }] }, 'Seen.'], { tools: [look] })
    await orra.run(bob, 'Look')
    expect(seen).toEqual([3, bob.key, 'call-1', false])
    expect(provider.requests[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: [{ content: [{ type: 'image', mediaType: 'image/png', data: 'aGk=' }] }],
    })
  })

  it.each([
    ['zod', z.object({ id: z.number(), tags: z.array(z.string()) })],
    [
      'plain JSON Schema',
      {
        type: 'object',
        properties: { id: { type: 'number' }, tags: { type: 'array', items: { type: 'string' } } },
        required: ['id', 'tags'],
      },
    ],
  ])('with input that does not fit tells the model where: %s', async (_, input) => {
    const move = defineTool({
      name: 'move',
      description: 'Moves.',
      input: input as z.ZodType<object>,
      execute: () => 'moved',
    })
    const { orra } = scripted([{ toolCalls: [{ name: 'move', input: { id: 'one', tags: ['a', 2] } }] }, 'Sorry.'], {
      tools: [move],
    })
    await orra.run(bob, 'Move')
    const [line] = await resultLines(orra)
    expect(line).toMatch(/^tool: error call-1: The input does not fit the tool's schema:\nid: .+\ntags\.1: /)
    expect(line).not.toContain('tool-started')
  })

  it.each([
    [
      'a tool that throws',
      () => {
        throw new Error('The disk is full.')
      },
      'The disk is full.',
    ],
    [
      'a tool that rejects',
      async () => {
        throw new Error('No such task.')
      },
      'No such task.',
    ],
    [
      'a tool that throws nothing sayable',
      () => {
        throw undefined
      },
      'The tool failed without saying why.',
    ],
    [
      'a tool that returns parts that are none',
      () => [{ type: 'text' }],
      'The tool returned neither text nor content parts.',
    ],
    ['a tool that returns nothing', () => undefined, 'The tool returned neither text nor content parts.'],
  ])('that fails becomes words for the model: %s', async (_, execute, words) => {
    const { orra } = scripted([{ toolCalls: [{ name: 'act' }] }, 'I see.'], { tools: [tool('act', execute)] })
    expect((await orra.run(bob, 'Act')).text).toBe('I see.')
    expect(await resultLines(orra)).toEqual(['tool-started call-1', `tool: error call-1: ${words}`])
  })

  it('of a name that nobody has is answered', async () => {
    const { orra } = scripted([{ toolCalls: [{ name: 'nope' }] }, 'Oh.'])
    await orra.run(bob, 'Go')
    expect(await resultLines(orra)).toEqual(['tool: error call-1: There is no tool named "nope".'])
  })

  it('tells how far it has come, until it has ended', async () => {
    let late: (() => void) | undefined
    const answerLate = () => {
      late?.()
      return 'Done.'
    }
    const work = tool('work', (_, { progress }) => {
      progress('half')
      late = () => progress('late')
      return 'done'
    })
    const { orra } = scripted([{ toolCalls: [{ name: 'work' }] }, answerLate], { tools: [work] })
    const events = await collect(orra.stream(bob, 'Work'))
    expect(events.filter(({ type }) => type === 'tool-call-progress')).toEqual([
      { type: 'tool-call-progress', callId: 'call-1', tool: 'work', message: 'half' },
    ])
  })

  it('that takes too long is told to stop, and the model that it did not finish', async () => {
    let stopped = false
    const slow = tool(
      'slow',
      async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        stopped = true
        throw new Error('stopped')
      },
      { timeoutMs: 5 },
    )
    const { orra } = scripted([{ toolCalls: [{ name: 'slow' }] }, 'Later.'], { tools: [slow] })
    await orra.run(bob, 'Go')
    expect(stopped).toBe(true)
    expect(await resultLines(orra)).toContain('tool: error call-1: It did not finish within 5 ms.')
  })

  it('has its beginning in the log before it begins, unless it is readOnly', async () => {
    const lines: unknown[] = []
    const peek = (name: string, hints: Partial<Tool>) => {
      const look = async () => {
        lines.push(...(await resultLines(orra)))
        return 'ok'
      }
      return tool(name, look, hints)
    }
    const tools = [peek('effect', {}), peek('pure', { readOnly: true }), peek('same', { idempotent: true })]
    const { orra } = scripted(
      [
        { toolCalls: [{ name: 'pure' }] },
        { toolCalls: [{ name: 'same' }] },
        { toolCalls: [{ name: 'effect' }] },
        'Done.',
      ],
      { tools },
    )
    await orra.run(bob, 'Go')
    expect(lines.at(-1)).toBe('tool-started call-3')
    expect(lines.filter((line) => String(line).startsWith('tool-started'))).toEqual([
      'tool-started call-2',
      'tool-started call-2',
      'tool-started call-3',
    ])
  })
})

describe('several calls of one reply', () => {
  it('run at the same time, up to the limit, and are logged as they finish', async () => {
    const gates = Array.from({ length: 4 }, aSwitch)
    const begun: number[] = []
    const { promise: three, resolve: threeBegun } = Promise.withResolvers<void>()
    const wait = defineTool({
      name: 'wait',
      description: 'Waits.',
      input: z.object({ index: z.number() }),
      readOnly: true,
      execute: async ({ index }) => {
        if (begun.push(index) === 3) threeBegun()
        await gates[index]?.promise
        return `${index}`
      },
    })
    const toolCalls = [0, 1, 2, 3].map((index) => ({ name: 'wait', input: { index } }))
    const { orra } = scripted([{ toolCalls }, 'Done.'], { tools: [wait], maxParallelTools: 2 })
    const running = orra.run(bob, 'Go')
    gates[1]?.on()
    await three
    expect(begun).toEqual([0, 1, 2])
    for (const gate of gates) gate.on()
    await running
    expect((await resultLines(orra))[0]).toBe('tool: result call-2: 1')
    expect((await resultLines(orra)).sort()).toEqual(
      [0, 1, 2, 3].map((index) => `tool: result call-${index + 1}: ${index}`),
    )
  })
})

describe('the gate', () => {
  const tools = [tool('list_tasks', () => 'none', { readOnly: true }), tool('move_task', () => 'moved')]
  const policies = { 'company:viewer:*': { tools: { allow: ['list_*'] } }, 'company:*': { models: { deny: ['huge'] } } }

  it('lists what is allowed, and refuses at execution what a model calls all the same', async () => {
    const { orra, provider } = scripted(
      [{ toolCalls: [{ name: 'move_task' }, { name: 'list_tasks' }] }, 'You may not.'],
      { tools, policies },
    )
    await orra.run(vic, 'Move it')
    expect(provider.requests[0]?.tools.map(({ name }) => name)).toEqual(['list_tasks'])
    expect((await resultLines(orra, vic)).sort()).toEqual([
      'tool: error call-1: The tool "move_task" is not allowed here.',
      'tool: result call-2: none',
    ])
  })

  it('leaves others as they were', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'move_task' }] }, 'Moved.'], { tools, policies })
    await orra.run(Namespace.of('company', 'member', 'alice'), 'Move it')
    expect(provider.requests[0]?.tools.map(({ name }) => name)).toEqual(['list_tasks', 'move_task', 'read_result'])
    expect(await resultLines(orra, Namespace.of('company', 'member', 'alice'))).toContain('tool: result call-1: moved')
  })

  it('ends a run that asks for a model it may not use', async () => {
    const { orra, provider } = scripted(['Fine.'], { policies })
    const result = await orra.run(vic, 'Go', { model: 'huge' })
    expect(result).toMatchObject({
      reason: 'denied',
      denial: 'The model "huge" is not allowed here. The policy is company:*: models.deny huge.',
    })
    expect(provider.requests).toHaveLength(0)
    expect((await orra.run(vic, 'Go')).text).toBe('Fine.')
  })

  it('is asked again after a hook has chosen another model', async () => {
    const { orra } = scripted([], { policies, hooks: [{ beforeModelCall: () => ({ request: { model: 'huge' } }) }] })
    expect((await orra.run(vic, 'Go')).reason).toBe('denied')
  })
})

describe('a tool definition', () => {
  it('without input takes an empty object', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'now' }] }, 'Noon.'], {
      tools: [defineTool({ name: 'now', description: 'Tells the time.', readOnly: true, execute: () => '12:00' })],
    })
    await orra.run(bob, 'What time is it?')
    expect(provider.requests[0]?.tools[0]?.inputSchema).toEqual({ type: 'object', properties: {} })
    expect(await resultLines(orra)).toEqual(['tool: result call-1: 12:00'])
  })

  it('cannot both change nothing and destroy', async () => {
    const odd = tool('odd', () => '', { readOnly: true, destructive: true })
    expect(await codeOf(() => scripted([], { tools: [odd] }))).toBe('tool.invalid')
  })
})

describe('calls of a reply that is not whole', () => {
  it.each(['length', 'refused'] as const)('are never run: %s', async (stopReason) => {
    let ran = false
    const wipe = tool('wipe', () => {
      ran = true
      return 'wiped'
    })
    const turn = { text: 'Well', toolCalls: [{ name: 'wipe' }], stopReason }
    const { orra, provider } = scripted([turn, 'Fine.'], { tools: [wipe] })
    expect((await orra.run(bob, 'Wipe')).reason).toBe(stopReason)
    expect(ran).toBe(false)
    await orra.run(bob, 'Go on')
    expect(JSON.stringify(provider.requests[1])).not.toContain('tool-call"')
  })
})

describe('text that was cut in the middle of a character', () => {
  const half = '😀'.slice(0, 1)

  it('is made whole wherever it comes from', async () => {
    const cut = tool('cut', () => half, { input: { type: 'object' } })
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'cut', input: { deep: [half] } }] }, half, 'Done.'], {
      tools: [cut],
      instructions: () => half,
    })
    await orra.run(bob, `cut ${half}`)
    await orra.run(bob, 'And?')
    expect(JSON.stringify(provider.requests)).not.toMatch(/\\ud83d/)
    expect(provider.requests[2]?.messages).toHaveLength(5)
  })
})
