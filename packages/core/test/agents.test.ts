import { type ScriptStep, scriptedProvider } from '@orra/conformance'
import {
  type AgentProfile,
  createRuntime,
  defineTool,
  delegateToAgent,
  type ModelRequest,
  memoryStore,
  Namespace,
  type Provider,
  type RuntimeOptions,
  type SpawnWork,
  spawnAgent,
  type Tool,
  textOf,
} from '@orra/core'
import { describe, expect, it } from 'vitest'
import { announced, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const AGENTS: readonly AgentProfile[] = [
  { name: 'writer', description: 'Writes.', personality: 'You write like a poet.', tools: ['look_*'] },
  { name: 'checker', instructions: 'Check everything.', model: 'checking-1' },
]

const look = defineTool({ name: 'look_up', description: 'Looks.', readOnly: true, execute: () => 'seen' })
const write = defineTool({ name: 'write_down', description: 'Writes.', execute: () => 'written' })

/** A tool that has one sub-agent work and says what it said. */
function asking(work: SpawnWork, hints: Partial<Tool> = { idempotent: true }): Tool {
  const tool = defineTool({
    name: 'ask',
    description: 'Asks.',
    async execute(_, { spawn }) {
      const { reason, text } = await spawn(work)
      return `${reason}: ${text}`
    },
  })
  return { ...tool, ...hints }
}

const ask = { toolCalls: [{ name: 'ask' }] }

/** Every request, and the text of what it answers. */
function modelOf(answer: (request: ModelRequest) => ScriptStep): Provider & { readonly requests: ModelRequest[] } {
  const requests: ModelRequest[] = []
  return {
    name: 'answering',
    model: 'answering-1',
    requests,
    stream(request, options) {
      requests.push(request)
      return scriptedProvider([answer(request)]).stream(request, options)
    },
  }
}

async function children(orra: ReturnType<typeof createRuntime>, store = bob) {
  const keys: string[] = []
  for await (const line of orra.export(store)) {
    const { namespace } = JSON.parse(line) as { readonly namespace?: string }
    if (namespace?.includes(':agent:')) keys.push(namespace)
  }
  return [...new Set(keys)]
}

describe('an agent of the runtime', () => {
  it('answers as its profile says, with the tools that it has', async () => {
    const { orra, provider } = scripted(['As a poem.', 'Checked.', 'Plain.'], { tools: [look, write], agents: AGENTS })
    await orra.run(bob, 'Write', { agent: 'writer' })
    await orra.run(bob, 'Check', { agent: 'checker' })
    await orra.run(bob, 'Say')
    const [writer, checker, plain] = provider.requests
    expect(writer?.tools.map(({ name }) => name)).toEqual(['look_up'])
    expect(writer?.instructions).toContain('You write like a poet.')
    expect(checker?.model).toBe('checking-1')
    expect(checker?.tools.map(({ name }) => name)).toHaveLength(3)
    expect(checker?.instructions).toContain('Check everything.')
    expect(plain?.instructions).toBeUndefined()
  })

  it('runs no tool that its profile leaves out, even when it names one', async () => {
    const { orra } = scripted([{ toolCalls: [{ name: 'write_down' }] }, 'Well.'], { tools: [write], agents: AGENTS })
    await orra.run(bob, 'Write', { agent: 'writer' })
    expect((await logOf(orra)).join('\n')).toContain('not offered in this run')
  })

  it('that is no longer there has no tools', async () => {
    const done: string[] = []
    const wipe = defineTool({ name: 'wipe', description: 'Wipes.', execute: () => String(done.push('x')) })
    const store = memoryStore()
    const first = createRuntime({
      provider: scriptedProvider([{ toolCalls: [{ name: 'wipe' }] }]),
      ...{ store, tools: [wipe], agents: [{ name: 'reader', tools: ['look_*'] }] },
      hooks: [{ beforeAppend: ({ message }) => void (message.role === 'tool' && first.close()) }],
    })
    await first.run(bob, 'Read', { agent: 'reader' }).catch(() => {})
    const second = createRuntime({ provider: scriptedProvider([]), store, tools: [wipe] })
    expect(await codeOf(second.resume(bob))).toBe('agent.unknown')
    expect(done).toEqual([])
  })

  it('is known, or the message is not accepted', async () => {
    const { orra } = scripted([], { agents: AGENTS })
    expect(await codeOf(orra.run(bob, 'Who?', { agent: 'nobody' }))).toBe('agent.unknown')
    expect(await logOf(orra)).toEqual([])
  })

  it('is told of who asks for its instructions', async () => {
    const seen: unknown[] = []
    const { orra } = scripted(['Yes.'], {
      ...{ agents: AGENTS, tools: [look, write] },
      instructions: ({ agent, tools, metadata }) => {
        seen.push(
          agent?.name,
          tools.map(({ name }) => name),
          metadata['title'],
        )
        return 'Be kind.'
      },
    })
    await orra.session(bob).setMetadata({ title: 'T' })
    await orra.run(bob, 'Write', { agent: 'writer' })
    expect(seen).toEqual(['writer', ['look_up'], 'T'])
  })
})

describe('a sub-agent', () => {
  it('works in a child namespace, and its events are seen by whoever watches its caller', async () => {
    const { orra } = scripted([ask, 'From below.', 'Done.'], { tools: [asking({ input: 'Do it' })] })
    const events = await collect(orra.stream(bob, 'Go'))
    const inner = events.flatMap((event) => (event.type === 'agent-event' ? [event] : []))
    const [key = ''] = await children(orra)
    expect(Namespace.parse(key).segments.slice(0, -1)).toEqual([...bob.segments, 'agent', 'task'])
    expect(inner[0]).toMatchObject({ callId: 'call-1', agent: 'task', namespace: key })
    expect(inner.map(({ event }) => event.type)).toEqual([
      'run-start',
      'model-call-start',
      'text-delta',
      'text-delta',
      'model-call-end',
      'run-end',
    ])
    expect((await logOf(orra)).join('\n')).toContain('result call-1: completed: From below.')
    expect(await logOf(orra, Namespace.parse(key))).toContain('input: Do it')
  })

  it('works for whoever its caller works for, and keeps what it keeps there', async () => {
    const seen: string[] = []
    const note = defineTool({
      name: 'note',
      description: 'Notes.',
      async execute(_, { namespace, root, memory, records }) {
        seen.push(namespace.key, root.key)
        await memory.remember('Bob likes tea')
        await records.put('notes', 'tea', 'green')
        return 'noted'
      },
    })
    const store = memoryStore()
    const { orra } = scripted([ask, { toolCalls: [{ name: 'note' }] }, 'Noted.', 'Done.'], {
      ...{ tools: [asking({ input: 'Note it' }), note], store },
    })
    await orra.run(bob, 'Go')
    expect(seen).toEqual([expect.stringContaining(`${bob.key}:agent:task:`), bob.key])
    expect((await store.records.list({ namespace: bob, collection: 'notes' })).items).toHaveLength(1)
    expect((await store.records.list({ namespace: bob, collection: 'memory' })).items).toHaveLength(1)
  })

  it('made twice in one call is two, and in another call another', async () => {
    const twice = defineTool({
      name: 'ask',
      description: 'Asks twice.',
      idempotent: true,
      async execute(_, { spawn }) {
        const [one, two] = await Promise.all([spawn({ input: 'one' }), spawn({ input: 'two' })])
        return `${one.text} ${two.text}`
      },
    })
    const provider = modelOf(({ messages }) => {
      const last = messages.at(-1)
      const said = last ? textOf(last) : ''
      return said === 'Go' ? ask : `${said}!`
    })
    const orra = createRuntime({ provider, tools: [twice] })
    await orra.run(bob, 'Go')
    await orra.run(bob, 'Go')
    expect(await children(orra)).toHaveLength(4)
  })

  it('has the policies of its caller, and narrower ones where there are some', async () => {
    const provider = modelOf(({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return 'Done.'
      return textOf(last as never) === 'Go' ? ask : { toolCalls: [{ name: 'write_down' }, { name: 'look_up' }] }
    })
    const orra = createRuntime({
      provider,
      tools: [asking({ input: 'Do it' }), look, write],
      policies: {
        'tenant:acme': { tools: { deny: ['write_*'] } },
        'tenant:acme:user:bob:agent': { tools: { deny: ['look_*'] } },
      },
    })
    await orra.run(bob, 'Go')
    const [key = ''] = await children(orra)
    const log = (await logOf(orra, Namespace.parse(key))).join('\n')
    expect(log).toContain('The tool "write_down" is not offered in this run.')
    expect(log).toContain('The tool "look_up" is not allowed here.')
  })

  it.each([
    ['what its caller may use', {}, undefined, ['ask', 'look_up', 'write_down', 'read_result']],
    ['what the run may use', { tools: ['ask', 'look_up'] }, undefined, ['ask', 'look_up']],
    ['what it is given of that', { tools: ['ask', 'look_up'] }, ['look_up'], ['look_up']],
    ['nothing, when it is given nothing', {}, [], []],
  ])('has %s', async (_, options, tools, expected) => {
    const { orra, provider } = scripted([ask, 'Below.', 'Done.'], {
      tools: [asking({ input: 'Do it', ...(tools ? { tools } : {}) }), look, write],
    })
    await orra.run(bob, 'Go', options)
    expect(provider.requests[1]?.tools.map(({ name }) => name)).toEqual(expected)
  })

  it('with a name is one of the runtime’s agents', async () => {
    const { orra, provider } = scripted([ask, 'A verse.', 'Done.'], {
      ...{ tools: [asking({ agent: 'writer', input: 'Write' }), look, write], agents: AGENTS },
    })
    await orra.run(bob, 'Go')
    expect(provider.requests[1]?.tools.map(({ name }) => name)).toEqual(['look_up'])
    expect(provider.requests[1]?.instructions).toContain('like a poet')
  })

  it.each([
    ['unknown', { agent: 'nobody', input: 'x' }, 'There is no agent named "nobody" here.'],
    [
      'with unknown tools',
      { tools: ['none'], input: 'x' },
      'There is no tool named "none" that this run could give away.',
    ],
    ['asked nothing', { input: ' ' }, 'This message cannot be accepted'],
    ['misspelt', { input: 'x', agnet: 'writer' }, '"agnet"'],
    ['told what to do although it has a name', { agent: 'writer', instructions: 'y', input: 'x' }, '"instructions"'],
  ])('that is %s is words for the model', async (_, work, words) => {
    const { orra } = scripted([ask, 'Well.'], { tools: [asking(work as SpawnWork)], agents: AGENTS })
    await orra.run(bob, 'Go')
    expect((await logOf(orra)).join('\n')).toContain(words)
  })

  it('goes only as deep as policies let it, and three deep without any', async () => {
    for (const [policies, deep] of [
      [{}, 3],
      [{ tenant: { limits: { spawnDepth: 1 } } }, 1],
      [{ tenant: { limits: { spawnDepth: 0 } } }, 0],
      [{ tenant: { agents: { deny: ['task'] } } }, 0],
    ] as const) {
      const provider = modelOf(({ messages }) => (messages.at(-1)?.role === 'tool' ? 'Done.' : ask))
      const orra = createRuntime({ provider, tools: [asking({ input: 'Deeper' })], policies })
      await orra.run(bob, 'Go')
      expect(await children(orra)).toHaveLength(deep)
    }
  })

  it('is not asked by itself, however far below', async () => {
    const provider = modelOf(({ messages }) => (messages.at(-1)?.role === 'tool' ? 'Done.' : ask))
    const orra = createRuntime({
      provider,
      tools: [asking({ agent: 'writer', input: 'Write' })],
      agents: [{ name: 'writer' }],
    })
    await orra.run(bob, 'Go')
    const [key = '', ...others] = await children(orra)
    expect(others).toEqual([])
    expect((await logOf(orra, Namespace.parse(key))).join('\n')).toContain('may not be asked here')
    await orra.run(bob, 'Go', { agent: 'writer' })
    expect(await children(orra)).toHaveLength(1)
  })

  it('stops when its caller is stopped', async () => {
    const stop = new AbortController()
    const { orra, provider } = scripted([ask, { text: 'Never', before: new Promise(() => {}) }], {
      tools: [asking({ input: 'Do it' })],
    })
    for await (const event of orra.stream(bob, 'Go', { signal: stop.signal })) {
      if (event.type === 'agent-event' && event.event.type === 'model-call-start') stop.abort()
    }
    const [key = ''] = await children(orra)
    expect((await logOf(orra, Namespace.parse(key))).at(-1)).toBe('run-ended aborted')
    expect(provider.openStreams).toBe(0)
  })

  it('keeps its bill in its caller’s', async () => {
    const { orra } = scripted([ask, 'Below.', 'Done.'], { tools: [asking({ input: 'Do it' })] })
    await orra.run(bob, 'Go')
    expect(await orra.usage(bob, 'day')).toMatchObject({ runs: 2, usage: { inputTokens: 30, outputTokens: 15 } })
  })

  it('takes no place of its own among runs at the same time', async () => {
    const { orra } = scripted([ask, 'Below.', 'Done.'], {
      tools: [asking({ input: 'Do it' })],
      policies: { tenant: { limits: { concurrentRuns: 1 } } },
    })
    expect(await orra.run(bob, 'Go')).toMatchObject({ text: 'Done.' })
  })
})

describe('a sub-agent that waits for an approval', () => {
  const remove = defineTool({ name: 'remove', description: 'Removes.', approval: 'always', execute: () => 'removed' })
  const removing = { toolCalls: [{ name: 'remove' }] }
  const options = (steps: readonly ScriptStep[], more: Partial<RuntimeOptions> = {}) => ({
    provider: scriptedProvider(steps),
    tools: [asking({ input: 'Do it' }), remove],
    approvals: { suspend: true },
    ...more,
  })

  async function only(orra: ReturnType<typeof createRuntime>) {
    const all = []
    for await (const request of orra.approvals(bob)) all.push(request)
    expect(all).toHaveLength(1)
    return all[0] as (typeof all)[number]
  }

  it('suspends its caller, and both go on in whatever process', async () => {
    const store = memoryStore()
    const first = createRuntime({ ...options([ask, removing]), store })
    expect(await first.run(bob, 'Go')).toMatchObject({ reason: 'suspended', approvals: [] })
    const request = await only(first)
    await first.close()

    const second = createRuntime({ ...options(['Removed it.', 'All done.']), store })
    await second.decide(Namespace.parse(request.namespace), request.callId, { approved: true, by: bob })
    await second.recover({ untilIdle: true })
    const log = await logOf(second)
    expect(log.at(-1)).toBe('run-ended completed')
    expect(log).toContain('call-woken call-1')
    expect(log.join('\n')).toContain('result call-1: completed: Removed it.')
  })

  it('has its caller wait with its process, when that cannot be called again', async () => {
    const { orra, provider } = scripted([ask, removing, 'Removed it.', 'All done.'], {
      tools: [asking({ input: 'Do it' }, {}), remove],
      approvals: { suspend: true },
    })
    const running = orra.run(bob, 'Go')
    const events = orra.session(bob).watch()
    for await (const event of events) if (event.type === 'entry' && event.entry.type === 'tool-started') break
    for (;;) {
      const waiting = []
      for await (const request of orra.approvals(bob)) waiting.push(request)
      const [request] = waiting
      if (!request) continue
      await orra.decide(Namespace.parse(request.namespace), request.callId, { approved: true, by: bob })
      break
    }
    expect(await running).toMatchObject({ reason: 'completed', text: 'All done.' })
    expect(provider.requests).toHaveLength(4)
  })

  it('is given up when its caller has ended meanwhile', async () => {
    const store = memoryStore()
    const orra = createRuntime({ ...options([ask, removing, 'Something else.']), store })
    await orra.run(bob, 'Go')
    const request = await only(orra)
    await orra.run(bob, 'Leave it', { whenBusy: 'interrupt' })
    const child = Namespace.parse(request.namespace)
    await orra.decide(child, request.callId, { approved: true, by: bob })
    await orra.recover({ untilIdle: true })
    const log = await logOf(orra, child)
    expect(log.at(-1)).toBe('run-ended aborted')
    expect(log.join('\n')).not.toContain('removed')
  })

  it('stops with its caller even when the call was made again', async () => {
    const store = memoryStore()
    const begun = aSwitch()
    const first = createRuntime({ ...options([ask, removing]), store })
    await first.run(bob, 'Go')
    const request = await only(first)
    const child = Namespace.parse(request.namespace)
    const second = createRuntime({
      ...options([announced(begun, { text: 'x', before: new Promise(() => {}) }), 'Here.']),
      store,
    })
    await second.decide(child, request.callId, { approved: true, by: bob })
    const stop = new AbortController()
    const resumed = second.resume(bob, { signal: stop.signal })
    await begun.promise
    stop.abort()
    expect(await resumed).toMatchObject({ reason: 'aborted' })
    expect((await logOf(second, child)).at(-1)).toBe('run-ended aborted')
  })

  it('goes on when its caller’s process closes, and is waited for by whoever takes that up', async () => {
    const store = memoryStore()
    const begun = aSwitch()
    const tools = [asking({ input: 'Do it' })]
    const steps = [ask, announced(begun, { text: 'x', before: new Promise(() => {}) })]
    const first = createRuntime({ provider: scriptedProvider(steps), tools, store })
    const running = first.run(bob, 'Go').catch(() => {})
    await begun.promise
    await first.close()
    await running
    const second = createRuntime({ provider: scriptedProvider(['From below.', 'Done.']), tools, store })
    await second.recover({ untilIdle: true })
    expect((await logOf(second)).join('\n')).toContain('completed: From below.')
  })

  it('does not lose what is done beside it, nor let it go on alone', async () => {
    const done: string[] = []
    const beside = defineTool({ name: 'beside', description: 'Works.', execute: () => String(done.push('x')) })
    const tool = defineTool({
      name: 'ask',
      description: 'Asks two, and hides what goes wrong.',
      idempotent: true,
      async execute(_, { spawn }) {
        const both = await Promise.allSettled([spawn({ input: 'remove' }), spawn({ input: 'beside' })])
        return both.map((one) => (one.status === 'fulfilled' ? one.value.text : 'failed')).join(' ')
      },
    })
    const provider = modelOf(({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return 'Done.'
      const said = last ? textOf(last) : ''
      return said === 'Go' ? ask : { toolCalls: [{ name: said }] }
    })
    const orra = createRuntime({ provider, tools: [tool, remove, beside], approvals: { suspend: true } })
    expect(await orra.run(bob, 'Go')).toMatchObject({ reason: 'suspended' })
    expect(done).toEqual(['x'])
    const request = await only(orra)
    await orra.decide(Namespace.parse(request.namespace), request.callId, { approved: true, by: bob })
    await orra.recover({ untilIdle: true })
    expect((await logOf(orra)).join('\n')).toContain('result call-1: Done. Done.')
    expect(done).toEqual(['x'])
  })

  it('is asked anew when its session was deleted while it waited', async () => {
    const store = memoryStore()
    const orra = createRuntime({ ...options([ask, removing, 'From the second.', 'Done.']), store })
    await orra.run(bob, 'Go')
    await orra.session(Namespace.parse((await only(orra)).namespace)).delete()
    await orra.recover({ untilIdle: true })
    expect((await logOf(orra)).join('\n')).toContain('completed: From the second.')
  })

  it('is told what its caller’s session is told of itself', async () => {
    const seen: unknown[] = []
    const { orra } = scripted([ask, 'Below.', 'Done.'], {
      tools: [asking({ input: 'Do it' })],
      hooks: [{ beforeModelCall: ({ metadata }) => void seen.push(metadata['workingDirectory']) }],
    })
    await orra.session(bob).setMetadata({ workingDirectory: '/home/bob' })
    await orra.run(bob, 'Go')
    expect(seen).toEqual(['/home/bob', '/home/bob', '/home/bob'])
  })

  it('approves by itself no longer once its caller does not', async () => {
    const mild = { ...remove, approval: 'unless-auto-approved' } as const
    const off = defineTool({
      name: 'off',
      description: 'Somebody changes their mind.',
      readOnly: true,
      async execute() {
        await orra.session(bob).setMetadata({ autoApprove: null })
        return 'off'
      },
    })
    const { orra } = scripted([ask, { toolCalls: [{ name: 'off' }] }, removing], {
      ...{ tools: [asking({ input: 'Do it' }), mild, off], approvals: { suspend: true } },
    })
    await orra.session(bob).setMetadata({ autoApprove: true })
    expect(await orra.run(bob, 'Go')).toMatchObject({ reason: 'suspended' })
  })

  it('approves by itself where its caller does', async () => {
    const mild = { ...remove, approval: 'unless-auto-approved' } as const
    const { orra } = scripted([ask, removing, 'Removed it.', 'All done.'], {
      ...{ tools: [asking({ input: 'Do it' }), mild], approvals: { suspend: true } },
    })
    await orra.session(bob).setMetadata({ autoApprove: true })
    expect(await orra.run(bob, 'Go')).toMatchObject({ text: 'All done.' })
  })
})

describe('the tools that ask agents', () => {
  it('have one work on a task, and another answer', async () => {
    const { orra } = scripted(
      [
        { toolCalls: [{ name: 'spawn_agent', input: { task: 'Count to three' } }] },
        '1 2 3',
        { toolCalls: [{ name: 'delegate_to_agent', input: { agent: 'writer', message: 'Rhyme' } }] },
        'So fine, a line.',
        'Done.',
      ],
      { tools: [spawnAgent(), delegateToAgent(AGENTS)], agents: AGENTS },
    )
    await orra.run(bob, 'Go')
    const log = (await logOf(orra)).join('\n')
    expect(log).toContain('result call-1: 1 2 3')
    expect(log).toContain('result call-2: So fine, a line.')
  })
})

describe('a sub-agent whose caller has ended while both waited', () => {
  it('is ended by whoever recovers, and nothing of it is asked for', async () => {
    const remove = defineTool({ name: 'remove', description: 'Removes.', approval: 'always', execute: () => 'removed' })
    const { orra } = scripted([ask, { toolCalls: [{ name: 'remove' }] }, 'Here.'], {
      ...{ tools: [asking({ input: 'Do it' }), remove], approvals: { suspend: true } },
    })
    await orra.run(bob, 'Go')
    const [key = ''] = await children(orra)
    await orra.run(bob, 'Leave it', { whenBusy: 'interrupt' })
    for await (const request of orra.approvals(bob)) expect.unreachable(request.tool)
    await orra.recover({ untilIdle: true })
    expect((await logOf(orra, Namespace.parse(key))).at(-1)).toBe('run-ended aborted')
  })
})

describe('sub-agents two deep that wait for an approval', () => {
  const remove = (done: string[]) =>
    defineTool({ name: 'remove', description: 'Removes.', approval: 'always', execute: () => String(done.push('x')) })
  /** `Go` has one asked to go deeper, that one another to remove something. */
  const deep = (hints: Partial<Tool> = { idempotent: true }) => {
    const done: string[] = []
    const tool = {
      ...defineTool({
        name: 'ask',
        description: 'Asks.',
        input: { type: 'object', properties: { what: { type: 'string' } } },
        execute: async ({ what }, { spawn }) => (await spawn({ input: String(what) })).text,
      }),
      ...hints,
    }
    const provider = modelOf(({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return 'Done.'
      const said = last ? textOf(last) : ''
      if (said === 'Go') return { toolCalls: [{ name: 'ask', input: { what: 'deeper' } }] }
      if (said === 'deeper') return { toolCalls: [{ name: 'ask', input: { what: 'remove' } }] }
      return said === 'remove' ? { toolCalls: [{ name: 'remove' }] } : 'Hello.'
    })
    return { done, orra: createRuntime({ provider, tools: [tool, remove(done)], approvals: { suspend: true } }) }
  }
  const first = async (orra: ReturnType<typeof createRuntime>) => {
    for (;;) for await (const request of orra.approvals(bob)) return request
  }

  it('do nothing more once whoever all of it is for has stopped it', async () => {
    const { orra, done } = deep()
    expect(await orra.run(bob, 'Go')).toMatchObject({ reason: 'suspended' })
    const { namespace, callId } = await first(orra)
    await orra.run(bob, 'Hello', { whenBusy: 'interrupt' })
    for await (const request of orra.approvals(bob)) expect.unreachable(request.tool)
    await orra.decide(Namespace.parse(namespace), callId, { approved: true, by: bob }).catch(() => {})
    await orra.recover({ untilIdle: true })
    expect(done).toEqual([])
    expect((await logOf(orra, Namespace.parse(namespace))).at(-1)).toBe('run-ended aborted')
  })

  it.each([
    ['where they can be called again', { idempotent: true }],
    ['where they wait with their process', {}],
  ])('go on for whoever waits behind them once it is decided, %s', async (_, hints) => {
    const { orra, done } = deep(hints)
    const going = orra.run(bob, 'Go')
    const { namespace, callId } = await first(orra)
    const next = orra.run(bob, 'And then?')
    await orra.decide(Namespace.parse(namespace), callId, { approved: true, by: bob })
    expect(await next).toMatchObject({ text: 'Hello.' })
    await going
    expect(done).toEqual(['x'])
  })
})
