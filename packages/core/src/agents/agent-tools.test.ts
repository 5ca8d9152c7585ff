import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { NO_USAGE } from '../provider.ts'
import type { RunResult } from '../run-event.ts'
import { compileSchema } from '../schema.ts'
import type { SpawnWork } from '../spawn.ts'
import { readyTools, type Tool, type ToolContext } from '../tool.ts'
import { delegateToAgent, type SpawnAgentOptions, spawnAgent } from './agent-tools.ts'
import type { AgentProfile } from './profile.ts'

const AGENTS = [
  { name: 'writer', description: 'Writes\n what is asked.', model: 'big' },
  { name: 'dev-ops' },
] as const satisfies readonly AgentProfile[]

/** Calls a tool whose sub-agent comes to this end, and shows what was asked of it. */
async function call(tool: Tool, input: unknown, result: Partial<RunResult> = {}) {
  const asked: SpawnWork[] = []
  const spawn = async (work: SpawnWork): Promise<RunResult> => {
    asked.push(work)
    return { runId: 'r', reason: 'completed', text: 'Done.', usage: NO_USAGE, ...result }
  }
  const output = await tool.execute(input, { spawn } as unknown as ToolContext)
  return { asked, output }
}

const refused = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return isOrraError(error, 'options.invalid', 'agent.invalid') ? error.code : error
  }
  return undefined
}

const takes = async (tool: Tool, input: object) =>
  (await compileSchema(tool.input).validate(input as { readonly [key: string]: never })).valid

describe('spawn_agent', () => {
  it('is a tool that a runtime takes, and that may be called again', () => {
    const tool = spawnAgent()
    expect(readyTools([tool, delegateToAgent(AGENTS)]).has('spawn_agent')).toBe(true)
    expect(tool).toMatchObject({ name: 'spawn_agent', idempotent: true, readOnly: false, approval: 'never' })
  })

  it('has a sub-agent work on the task and returns what it says', async () => {
    expect(await call(spawnAgent(), { task: 'Count.' })).toEqual({ asked: [{ input: 'Count.' }], output: 'Done.' })
    const { asked } = await call(spawnAgent(), { task: 'Count.', tools: [] })
    expect(asked).toEqual([{ input: 'Count.', tools: [] }])
  })

  it('tells every sub-agent what its options say, and lets no input change that', async () => {
    const options = { instructions: 'Be brief.', model: 'small', maxTurns: 3 }
    const { asked } = await call(spawnAgent(options), { task: 'Count.', tools: ['list'], model: 'big' })
    expect(asked).toEqual([{ ...options, input: 'Count.', tools: ['list'] }])
  })

  it.each([
    [{ task: 'a' }, true],
    [{ task: 'a', tools: ['list'] }, true],
    [{}, false],
    [{ task: '' }, false],
    [{ task: 'a', tools: 'list' }, false],
    [{ task: 'a', agent: 'writer' }, false],
  ])('takes %j: %s', async (input, valid) => {
    expect(await takes(spawnAgent(), input)).toBe(valid)
  })

  it.each([
    ['a misspelt one', { turns: 1 }],
    ['instructions that are no text', { instructions: 1 }],
    ['an empty model', { model: '' }],
    ['no turns', { maxTurns: 0 }],
  ])('refuses options: %s', (_, options) => {
    expect(refused(() => spawnAgent(options as SpawnAgentOptions))).toBe('options.invalid')
  })
})

describe('delegate_to_agent', () => {
  it('says who is there and what for', () => {
    const tool = delegateToAgent(AGENTS)
    expect(tool).toMatchObject({ name: 'delegate_to_agent', idempotent: true, readOnly: false })
    expect(tool.description.split('\n').slice(1)).toEqual(['- writer: Writes what is asked.', '- dev-ops'])
  })

  it('has the agent answer the message, with what its own profile says', async () => {
    const { asked, output } = await call(delegateToAgent(AGENTS), { agent: 'writer', message: 'A poem!' })
    expect(asked).toEqual([{ agent: 'writer', input: 'A poem!' }])
    expect(output).toBe('Done.')
  })

  it.each([
    [{ agent: 'dev-ops', message: 'a' }, true],
    [{ agent: 'writer' }, false],
    [{ agent: 'nobody', message: 'a' }, false],
    [{ agent: 'writer', message: '' }, false],
    [{ agent: 'writer', message: 'a', tools: [] }, false],
  ])('takes %j: %s', async (input, valid) => {
    expect(await takes(delegateToAgent(AGENTS), input)).toBe(valid)
  })

  it('refuses agents that cannot be, and no agents', () => {
    expect(refused(() => delegateToAgent([]))).toBe('options.invalid')
    expect(refused(() => delegateToAgent([{ name: 'task' }]))).toBe('agent.invalid')
  })
})

describe('what a model is told of a sub-agent', () => {
  const told = async (result: Partial<RunResult>) => (await call(spawnAgent(), { task: 'a' }, result)).output

  it.each([
    ['max-turns', 'as often as it may'],
    ['limit', 'a limit was reached'],
    ['denied', 'was not allowed'],
    ['aborted', 'was stopped'],
    ['refused', 'declined'],
    ['length', 'was cut off'],
    ['something-new', 'something-new'],
  ])('says how it ended, with what it had said: %s', async (reason, words) => {
    const ended = { reason: reason as RunResult['reason'] }
    expect(await told({ ...ended, text: '' })).toContain(words)
    expect(await told({ ...ended, text: 'Half of it' })).toMatch(/\n\nWhat it said last:\n\nHalf of it$/)
  })

  it('says why it was denied, and that it said nothing', async () => {
    expect(await told({ reason: 'denied', text: '', denial: 'Not today.' })).toMatch(/The reason: Not today\.$/)
    expect(await told({ text: ' \n' })).toBe('The agent has finished and said nothing.')
  })

  it('leaves what fails to whoever runs the tool', async () => {
    const failure = new Error('no agent')
    const context = { spawn: () => Promise.reject(failure) } as unknown as ToolContext
    await expect(spawnAgent().execute({ task: 'a' }, context)).rejects.toBe(failure)
  })
})
