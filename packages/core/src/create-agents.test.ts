import { type ScriptStep, scriptedProvider } from '@orra/conformance'
import { describe, expect, it } from 'vitest'
import { delegateToAgent, spawnAgent } from './agents/agent-tools.ts'
import { type AgentsOptions, createAgents } from './create-agents.ts'
import { isOrraError } from './errors.ts'
import { textOf } from './message.ts'
import { Namespace } from './namespace.ts'
import type { Runtime } from './runtime.ts'
import { defineTool } from './tool.ts'

const bob = Namespace.of('user', 'bob')
const AGENTS = [
  { name: 'helper', personality: 'You are calm.' },
  { name: 'Writer', personality: 'You rhyme.', model: 'poet' },
]

function agentsOf(steps: readonly ScriptStep[], options: Partial<AgentsOptions> = {}) {
  const provider = scriptedProvider(steps)
  return { agents: createAgents({ provider, agents: AGENTS, ...options }), provider }
}

/** Who was to answer the messages of a session, by its log. */
async function askedIn(runtime: Runtime): Promise<readonly (string | undefined)[]> {
  const asked: (string | undefined)[] = []
  for await (const { entry } of runtime.session(bob).entries()) {
    if (entry.type === 'input') asked.push(entry.settings?.agent)
  }
  return asked
}

const thrown = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return isOrraError(error) ? error : undefined
  }
  return undefined
}

describe('several agents', () => {
  it('answer as themselves, in one session', async () => {
    const { agents, provider } = agentsOf([{ text: 'calm' }, { text: 'rhyme' }])
    await using set = agents
    expect((await set.default.run(bob, 'Hello')).text).toBe('calm')
    expect((await set.get('Writer').run(bob, 'Hello')).text).toBe('rhyme')
    const [first, second] = provider.requests
    expect(first?.instructions).toContain('You are helper.\n\nYou are calm.')
    expect(second?.instructions).toContain('You are Writer.\n\nYou rhyme.')
    expect([first?.model, second?.model]).toEqual([provider.model, 'poet'])
    expect(second?.messages).toHaveLength(3)
  })

  it('are named in whatever is asked of them: run, stream and submit', async () => {
    const { agents } = agentsOf([{ text: '1' }, { text: '2' }])
    await using set = agents
    const writer = set.get('Writer')
    await writer.run(bob, 'a')
    for await (const _ of writer.stream(bob, 'b', { maxTurns: 2 }));
    await writer.submit(bob, 'c')
    await set.default.submit(bob, 'd')
    await set.default.submit(bob, 'e', { agent: 'Writer' })
    expect(await askedIn(writer)).toEqual(['Writer', 'Writer', 'Writer', 'helper', 'Writer'])
  })

  it('are called by name in a text, and otherwise the default one is', async () => {
    await using set = agentsOf([]).agents
    expect(set.names).toEqual(['helper', 'Writer'])
    expect(set.mentioned('hi @writer, and @helper')).toBe('Writer')
    expect(set.mentioned('hi @nobody')).toBeUndefined()
    expect(set.for('hi @writer')).toBe(set.get('Writer'))
    expect(set.for('hi')).toBe(set.default)
    expect(set.default).toBe(set.get('helper'))
    await using other = agentsOf([], { default: 'Writer' }).agents
    expect(other.for('hi')).toBe(other.get('Writer'))
  })

  it('ask each other, each in a namespace of its own, and use no more tools than they may', async () => {
    const ping = defineTool({ name: 'ping', description: 'Pings.', execute: () => 'pong' })
    const delegate = { name: 'delegate_to_agent', input: { agent: 'Writer', message: 'A line, please.' } }
    const spawn = { name: 'spawn_agent', input: { task: 'Count to two.', tools: [] } }
    const steps = [{ toolCalls: [delegate] }, 'rain', { toolCalls: [spawn] }, 'one, two', 'all done']
    const agents = AGENTS.map((agent) => (agent.name === 'Writer' ? { ...agent, tools: ['ping'] } : agent))
    const tools = [ping, delegateToAgent(agents), spawnAgent({ instructions: 'You count.' })]
    const { agents: set, provider } = agentsOf(steps, { agents, tools })
    await using _ = set
    expect(await set.default.run(bob, 'Go')).toMatchObject({ reason: 'completed', text: 'all done' })

    const [, asWriter, , asTask, last] = provider.requests
    expect(asWriter).toMatchObject({ model: 'poet', instructions: expect.stringContaining('You are Writer.') })
    expect(asWriter?.tools.map(({ name }) => name)).toEqual(['ping'])
    expect(asWriter?.messages.map(textOf)).toEqual(['A line, please.'])
    expect(asTask).toMatchObject({ instructions: 'You count.', tools: [] })
    const results = last?.messages.flatMap(({ role, content }) => (role === 'tool' ? content : []))
    expect(results?.map(({ content }) => textOf(content))).toEqual(['rain', 'one, two'])
    expect(await askedIn(set.default)).toEqual(['helper'])
  })

  it('are closed together, through any of them', async () => {
    const { agents } = agentsOf([])
    await agents.get('Writer').close()
    await expect(agents.default.run(bob, 'a')).rejects.toMatchObject({ code: 'runtime.closed' })
    const other = agentsOf([]).agents
    await other.close()
    await expect(other.get('Writer').run(bob, 'a')).rejects.toMatchObject({ code: 'runtime.closed' })
  })

  it('leave options that are none to be refused as they are', async () => {
    await using set = agentsOf([]).agents
    for (const options of [null, 'quickly', []]) {
      const run = set.default.run(bob, 'a', options as unknown as Record<string, never>)
      await expect(run).rejects.toMatchObject({ code: 'options.invalid' })
    }
  })

  it('do not include somebody who is not there', async () => {
    await using set = agentsOf([]).agents
    for (const name of ['writer', '', 'toString', 5, Object.create(null)]) {
      const error = thrown(() => set.get(name as string))
      expect(error?.code).toBe('agent.unknown')
      expect(error?.details).toMatchObject({ known: ['helper', 'Writer'] })
    }
  })

  it.each([
    ['no options', undefined, 'options.invalid'],
    ['no agents', {}, 'options.invalid'],
    ['an empty list', { agents: [] }, 'options.invalid'],
    ['an agent that cannot be', { agents: [{ name: 'a b' }] }, 'agent.invalid'],
    ['a default that is not there', { agents: AGENTS, default: 'writer' }, 'agent.unknown'],
    ['what a runtime refuses', { agents: AGENTS, stores: 1 }, 'options.invalid'],
    ['no provider', { agents: AGENTS }, 'options.invalid'],
  ])('are refused: %s', (_, options, code) => {
    expect(thrown(() => createAgents(options as unknown as AgentsOptions))?.code).toBe(code)
  })
})
