import { scriptedProvider } from '@orra/conformance'
import {
  createRuntime,
  defineTool,
  type ModelRequest,
  memoryStore,
  type Namespace,
  type RunEvent,
  type RunOptions,
} from '@orra/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { alice, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const add = defineTool({
  name: 'add',
  description: 'Adds two numbers.',
  input: z.object({ a: z.number(), b: z.number() }),
  readOnly: true,
  execute: ({ a, b }) => `${a + b}`,
})

describe('a run', () => {
  it('answers, and remembers', async () => {
    const { orra, provider } = scripted(['Hello Bob.', 'You said hello.'], { instructions: 'Be brief.' })
    expect(await orra.run(bob, 'Hello')).toMatchObject({
      reason: 'completed',
      text: 'Hello Bob.',
      usage: { inputTokens: 10 },
    })
    expect((await orra.run(bob, 'What did I say?')).text).toBe('You said hello.')
    expect(provider.requests[1]).toEqual({
      model: 'scripted-1',
      instructions: 'Be brief.',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'Hello Bob.' }] },
        { role: 'user', content: [{ type: 'text', text: 'What did I say?' }] },
      ],
      tools: [],
    })
    expect(await logOf(orra)).toEqual([
      'input: Hello',
      'run-started',
      'user: Hello',
      'assistant: Hello Bob.',
      'run-ended completed',
      'input: What did I say?',
      'run-started',
      'user: What did I say?',
      'assistant: You said hello.',
      'run-ended completed',
    ])
  })

  it('keeps sessions apart', async () => {
    const { orra, provider } = scripted([
      (request) => `${request.messages.length}`,
      (request) => `${request.messages.length}`,
    ])
    await orra.run(bob, 'My secret is 42')
    expect((await orra.run(alice, 'What is the secret?')).text).toBe('1')
    expect(JSON.stringify(provider.requests[1])).not.toContain('42')
    expect(await orra.session(alice).messages()).toHaveLength(2)
  })

  it('yields what happens while it happens, in order', async () => {
    const { orra } = scripted(
      [
        { text: 'Let me add.', toolCalls: [{ name: 'add', input: { a: 1, b: 2 } }] },
        { reasoning: 'Easy.', text: 'It is 3.' },
      ],
      {
        tools: [add],
      },
    )
    const events = await collect(orra.stream(bob, 'What is 1 + 2?'))
    expect(events.map((event) => event.type)).toEqual([
      'run-start',
      'model-call-start',
      'text-delta',
      'text-delta',
      'text-delta',
      'model-call-end',
      'tool-call-start',
      'tool-call-end',
      'model-call-start',
      'reasoning-delta',
      'text-delta',
      'text-delta',
      'text-delta',
      'model-call-end',
      'run-end',
    ] satisfies RunEvent['type'][])
    expect(events[6]).toEqual({ type: 'tool-call-start', callId: 'call-1', tool: 'add', input: { a: 1, b: 2 } })
    expect(events[7]).toMatchObject({ tool: 'add', content: [{ type: 'text', text: '3' }], isError: false })
    expect(events.at(-1)).toMatchObject({
      reason: 'completed',
      text: 'It is 3.',
      usage: { inputTokens: 20, outputTokens: 10 },
    })
  })

  it('sends every call with its result, and only what the runtime has', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'add', input: { a: 1, b: 2 } }] }, 'Done.'], {
      tools: [add],
    })
    await orra.run(bob, 'Add')
    const [own, ...builtIn] = provider.requests[0]?.tools ?? []
    expect(builtIn.map(({ name }) => name)).toEqual(['read_result'])
    expect(own).toEqual({
      name: 'add',
      description: 'Adds two numbers.',
      inputSchema: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
    })
    expect(provider.requests[1]?.messages.slice(1)).toEqual([
      { role: 'assistant', content: [{ type: 'tool-call', callId: 'call-1', name: 'add', input: { a: 1, b: 2 } }] },
      {
        role: 'tool',
        content: [{ type: 'tool-result', callId: 'call-1', name: 'add', content: [{ type: 'text', text: '3' }] }],
      },
    ])
  })

  it.each([
    ['length', { text: 'And so', stopReason: 'length' }, 'length'],
    ['a refusal', { text: 'I will not.', stopReason: 'refused' }, 'refused'],
    ['nothing to say', { text: '' }, 'completed'],
  ] as const)('ends with its reason: %s', async (_, turn, reason) => {
    const { orra } = scripted([turn])
    expect((await orra.run(bob, 'Go')).reason).toBe(reason)
  })

  it('ends after maxTurns model calls, legally', async () => {
    const { orra, provider } = scripted(
      [
        { toolCalls: [{ name: 'add', input: { a: 1, b: 1 } }] },
        { toolCalls: [{ name: 'add', input: { a: 2, b: 2 } }] },
        'Go on then.',
      ],
      {
        tools: [add],
      },
    )
    expect((await orra.run(bob, 'Loop', { maxTurns: 2 })).reason).toBe('max-turns')
    expect(provider.requests).toHaveLength(2)
    expect((await orra.run(bob, 'And now?')).text).toBe('Go on then.')
    expect(provider.requests[2]?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'tool',
      'user',
    ])
  })

  it('takes another model and fewer tools for one message', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'add', input: { a: 1, b: 1 } }] }, 'No.', 'Yes.'], {
      tools: [add],
    })
    await orra.run(bob, 'Go', { model: 'small', tools: [] })
    expect(provider.requests[0]).toMatchObject({ model: 'small', tools: [] })
    expect(await logOf(orra)).toContain('tool: error call-1: The tool "add" is not offered in this run.')
    await orra.run(bob, 'Go')
    expect(provider.requests[2]).toMatchObject({
      model: 'scripted-1',
      tools: [{ name: 'add' }, { name: 'read_result' }],
    })
  })

  it('writes its instructions for whoever asks', async () => {
    const { orra, provider } = scripted(['Hi', 'Hi'], {
      instructions: async ({ namespace }) => `You speak with ${namespace.segments.at(-1)}.`,
    })
    await Promise.all([orra.run(bob, 'Hello'), orra.run(alice, 'Hello')])
    expect(provider.requests.map(({ instructions }) => instructions).sort()).toEqual([
      'You speak with alice.',
      'You speak with bob.',
    ])
  })

  it('takes images and files', async () => {
    const { orra, provider } = scripted(['A cat.'])
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', mediaType: 'image/png', data: 'aGk=' },
      { type: 'file', mediaType: 'application/pdf', url: 'https://example.com/a.pdf' },
    ] as const
    await orra.run(bob, content)
    expect(provider.requests[0]?.messages).toEqual([{ role: 'user', content }])
  })

  it('keeps what a provider wants back', async () => {
    const message = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm.', providerData: { scripted: { signature: 's1' } } },
        { type: 'text', text: 'Yes.' },
      ],
    } as const
    const { orra, provider } = scripted([{ message }, 'Again.'])
    await orra.run(bob, 'One')
    await orra.run(bob, 'Two')
    expect(provider.requests[1]?.messages[1]).toEqual(message)
  })

  it('drops the oldest turns when the context is full, and says so', async () => {
    const context = { windowTokens: 120, outputReserveTokens: 20, strategies: [] }
    const steps = Array.from({ length: 30 }, (_, index) => `Answer number ${index}.`)
    const { orra, provider } = scripted(steps, { context })
    for (const index of steps.keys()) {
      const events = await collect(orra.stream(bob, `Question number ${index}?`))
      const { context: report } = events.find((event) => event.type === 'model-call-start') as Extract<
        RunEvent,
        { type: 'model-call-start' }
      >
      const request = provider.requests[index] as ModelRequest
      expect(request.messages[0]?.role).toBe('user')
      expect(request.messages.at(-1)?.content).toEqual([{ type: 'text', text: `Question number ${index}?` }])
      expect(report.messageTokens).toBeLessThanOrEqual(100)
      expect(report.sentTurns + report.droppedTurns).toBe(index + 1)
      expect(report.sentMessages).toBe(request.messages.length)
    }
    expect(provider.requests.at(-1)?.messages.length).toBeLessThan(12)
    expect(await orra.session(bob).messages()).toHaveLength(60)
  })

  it('gives two calls of one reply different ids', async () => {
    const twice = [
      { name: 'add', input: { a: 1, b: 1 }, callId: 'x' },
      { name: 'add', input: { a: 2, b: 2 }, callId: 'x' },
    ]
    const { orra } = scripted([{ toolCalls: twice }, 'Done.'], { tools: [add] })
    await orra.run(bob, 'Go')
    expect((await logOf(orra)).filter((line) => line.startsWith('tool:')).sort()).toEqual([
      'tool: result x-2: 4',
      'tool: result x: 2',
    ])
  })
})

describe('the cost of a turn', () => {
  it('is the same for the store at turn 5 and at turn 200', async () => {
    const store = memoryStore()
    const calls: string[] = []
    const counting = ([name, call]: [string, (...args: never[]) => Promise<unknown>]) => {
      const counted = async (...args: never[]) => {
        const result = await call(...args)
        const read = Array.isArray(result) ? result.length : 0
        // Places in the log are written, and have more digits later on.
        calls.push(`${name}: ${name === 'append' ? JSON.stringify(args[1]).replace(/:\d+/g, ':0').length : read}`)
        return result
      }
      return [name, counted]
    }
    const sessions = Object.fromEntries(Object.entries(store.sessions).map(counting)) as typeof store.sessions
    const context = { windowTokens: 400, outputReserveTokens: 100, strategies: [] }
    const { orra, provider } = scripted(Array(200).fill('Always the same.'), { store: { ...store, sessions }, context })
    const costs: (readonly string[])[] = []
    for (let turn = 1; turn <= 200; turn += 1) {
      calls.length = 0
      await orra.run(bob, 'Always the same?')
      costs.push([...calls])
    }
    expect(costs[4]?.filter((call) => call.startsWith('append'))).toHaveLength(4)
    expect(costs[199]).toEqual(costs[4])
    expect(provider.requests[199]?.messages.length).toBeLessThan(40)
  })
})

describe('two messages to one session', () => {
  it('are answered one after the other, in the order in which they came', async () => {
    const { orra, provider } = scripted(['One.', 'Two.', 'Three.'])
    const results = await Promise.all([orra.run(bob, '1'), orra.run(bob, '2'), orra.run(bob, '3')])
    expect(results.map(({ text }) => text)).toEqual(['One.', 'Two.', 'Three.'])
    expect(provider.requests.map(({ messages }) => messages.length)).toEqual([1, 3, 5])
  })

  it('never interleave, even from two runtimes on one store', async () => {
    const store = memoryStore()
    const echo = scriptedProvider(Array.from({ length: 40 }, () => ({ toolCalls: [] as const, text: 'ok' })))
    const runtimes = [createRuntime({ provider: echo, store }), createRuntime({ provider: echo, store })] as const
    const asked = Array.from({ length: 20 }, (_, index) => runtimes[(index % 2) as 0 | 1].run(bob, `${index}`))
    expect((await Promise.all(asked)).map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'ok'))
    const lines = (await logOf(runtimes[0])).filter((line) => !line.startsWith('input'))
    for (let index = 0; index < lines.length; index += 4) {
      expect(lines.slice(index, index + 4).map((line) => line.split(' ')[0])).toEqual([
        'run-started',
        'user:',
        'assistant:',
        'run-ended',
      ])
    }
    expect(lines).toHaveLength(80)
  })

  it('tells the second that it waits, when another process holds the session', async () => {
    const store = memoryStore()
    const lease = await store.sessions.claim(bob, { owner: 'other', ttlMs: 60_000 })
    const { orra } = scripted(['Hi.'], { store })
    const types: string[] = []
    for await (const { type } of orra.stream(bob, 'Hello')) {
      types.push(type)
      if (type === 'waiting') await lease?.release()
    }
    expect(types).toEqual(['waiting', 'run-start', 'model-call-start', 'text-delta', 'model-call-end', 'run-end'])
  })

  it('gives the caller the recorded answer when another process answered', async () => {
    const store = memoryStore()
    const lease = await store.sessions.claim(bob, { owner: 'other', ttlMs: 60_000 })
    const { orra, provider } = scripted([], { store })
    const events: RunEvent[] = []
    for await (const event of orra.stream(bob, 'Hello')) {
      events.push(event)
      if (event.type !== 'waiting' || !lease) continue
      const message = { role: 'assistant', content: [{ type: 'text', text: 'From afar.' }] } as const
      const [input = ''] = (await store.sessions.head(bob))?.inbox ?? []
      const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 }
      const user = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
      await store.sessions.append(
        bob,
        [
          { type: 'run-started', runId: 'r', input },
          { type: 'message', message: user, input },
          { type: 'message', message },
          { type: 'run-ended', runId: 'r', reason: 'completed', usage },
        ],
        { epoch: lease.epoch },
      )
      await lease.release()
    }
    expect(events.slice(1)).toEqual([
      { type: 'run-start', runId: 'r' },
      { type: 'text-delta', text: 'From afar.' },
      {
        type: 'run-end',
        runId: 'r',
        reason: 'completed',
        text: 'From afar.',
        usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
      },
    ])
    expect(provider.requests).toHaveLength(0)
  })
})

describe('what cannot be right', () => {
  const provider = scriptedProvider([])

  it.each([
    ['no provider', {}, 'options.invalid'],
    ['a misspelt option', { provider, tool: [] }, 'options.invalid'],
    ['a store that is none', { provider, store: {} }, 'options.invalid'],
    ['no tool may run at a time', { provider, maxParallelTools: 0 }, 'options.invalid'],
    ['two tools of one name', { provider, tools: [add, add] }, 'tool.duplicate'],
    ['a tool without a name', { provider, tools: [{ ...add, name: '' }] }, 'tool.invalid'],
    ['a tool whose name no model takes', { provider, tools: [{ ...add, name: 'add two' }] }, 'tool.invalid'],
    ['a tool without a description', { provider, tools: [{ ...add, description: ' ' }] }, 'tool.invalid'],
    ['a tool without a function', { provider, tools: [{ ...add, execute: undefined }] }, 'tool.invalid'],
    ['a schema that is none', { provider, tools: [{ ...add, input: 'object' }] }, 'tool.invalid'],
    ['a schema of something else', { provider, tools: [{ ...add, input: z.string() }] }, 'tool.invalid'],
    [
      'a schema whose properties are none',
      { provider, tools: [{ ...add, input: { type: 'object', properties: 5 } }] },
      'tool.invalid',
    ],
    ['tools that are no list', { provider, tools: {} }, 'options.invalid'],
    ['hooks that are no list', { provider, hooks: { runEnd() {} } }, 'options.invalid'],
    ['hooks that are none', { provider, hooks: [null] }, 'options.invalid'],
    ['instructions that are none', { provider, instructions: 42 }, 'options.invalid'],
    ['a misspelt option of the context', { provider, context: { windowToken: 10 } }, 'options.invalid'],
    ['a context that is a number', { provider, context: 5000 }, 'options.invalid'],
    ['policies in a list', { provider, policies: [{ tools: { deny: ['*'] } }] }, 'policy.invalid'],
    ['policies that are none', { provider, policies: null }, 'policy.invalid'],
    ['a policy with a typo', { provider, policies: { '*': { tool: {} } } }, 'policy.invalid'],
    ['a hook at no point', { provider, hooks: [{ beforeToolcall: () => {} }] }, 'options.invalid'],
    ['a window without room', { provider, context: { windowTokens: 10, outputReserveTokens: 20 } }, 'options.invalid'],
  ])('fails when the runtime is made: %s', async (_, options, code) => {
    expect(await codeOf(() => createRuntime(options as never))).toBe(code)
  })

  it.each([
    ['a hint that is misspelt', () => defineTool({ ...add, readonly: true } as never)],
    ['a tool without a definition', () => defineTool(undefined as never)],
    ['an option of a store', () => memoryStore({ nowe: Date.now } as never)],
    ['an option of resume', () => createRuntime({ provider }).resume(bob, { onevent: () => {} } as never)],
    ['no options', () => createRuntime(undefined as never)],
  ])('is told by whoever takes it: %s', async (_, take) => {
    expect(await codeOf(async () => take())).toBe('options.invalid')
  })

  it.each([
    ['options that are none', bob, 'Hello', null, 'options.invalid'],
    ['a controller in place of its signal', bob, 'Hello', { signal: new AbortController() }, 'options.invalid'],
    ['an empty message', bob, '', {}, 'message.invalid'],
    ['a blank message', bob, ' \n', {}, 'message.invalid'],
    ['no parts', bob, [], {}, 'message.invalid'],
    ['an unknown part', bob, [{ type: 'tool-result' }], {}, 'message.invalid'],
    ['an image without data', bob, [{ type: 'image', mediaType: 'image/png' }], {}, 'message.invalid'],
    ['a key in place of a namespace', 'tenant:acme', 'Hello', {}, 'namespace.invalid'],
    ['something like a namespace', { key: 'tenant:acme', segments: [] }, 'Hello', {}, 'namespace.invalid'],
    ['an unknown tool', bob, 'Hello', { tools: ['nope'] }, 'tool.unknown'],
    ['no turns', bob, 'Hello', { maxTurns: 0 }, 'options.invalid'],
    ['a misspelt option', bob, 'Hello', { maxturns: 1 }, 'options.invalid'],
    ['more than the model can hold', bob, 'word '.repeat(100_000), {}, 'context.too-long'],
  ])('is not accepted: %s', async (_, namespace, input, options, code) => {
    const { orra } = scripted([])
    expect(await codeOf(orra.run(namespace as Namespace, input as string, options as RunOptions))).toBe(code)
    expect(await codeOf(collect(orra.stream(namespace as Namespace, input as string, options as RunOptions)))).toBe(
      code,
    )
    expect(await orra.session(bob).head()).toBeUndefined()
  })
})
