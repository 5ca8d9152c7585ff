import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { AgentProfile } from './profile.ts'
import { readyAgents } from './ready-agents.ts'

const problemOf = (profiles: unknown): string | undefined => {
  try {
    readyAgents(profiles as readonly AgentProfile[])
  } catch (error) {
    if (isOrraError(error, 'agent.invalid')) return error.message
    if (isOrraError(error, 'options.invalid')) return error.details.option
    throw error
  }
  return undefined
}

describe('agents', () => {
  it('are found by their names, in the order given, with all that their profiles say', () => {
    const writer = { name: 'writer', description: 'Writes.', personality: 'Brief.', instructions: 'Write.', model: 'm' }
    const agents = readyAgents([writer, { name: 'A-9_z' }])
    expect([...agents.keys()]).toEqual(['writer', 'A-9_z'])
    expect(agents.get('writer')).toMatchObject(writer)
    expect(agents.get('Writer')).toBeUndefined()
    expect(readyAgents([]).size).toBe(0)
  })

  it('may use the tools that their globs name: all without globs, none for an empty list', () => {
    const allows = (tools: readonly string[] | undefined, name: string) =>
      readyAgents([{ name: 'a', ...(tools ? { tools } : {}) }])
        .get('a')
        ?.allowsTool(name)
    expect(allows(undefined, 'exec')).toBe(true)
    expect(allows([], 'exec')).toBe(false)
    expect(allows(['list_*', 'exec'], 'list_tasks')).toBe(true)
    expect(allows(['list_*', 'exec'], 'exec')).toBe(true)
    expect(allows(['list_*', 'exec'], 'executor')).toBe(false)
  })

  it('do not change with the objects that they were made of', () => {
    const tools = ['list_*']
    const profile = { name: 'a', tools, instructions: 'Be kind.' }
    const agent = readyAgents([profile]).get('a')
    tools.push('*')
    profile.instructions = 'Be mean.'
    expect(agent).toMatchObject({ tools: ['list_*'], instructions: 'Be kind.' })
    expect(agent?.allowsTool('exec')).toBe(false)
  })

  it('take fields that are undefined for absent ones', () => {
    expect(problemOf([{ name: 'a', model: undefined, tools: undefined, personality: undefined }])).toBeUndefined()
  })

  it.each([
    ['no list', { name: 'a' }, 'agents'],
    ['nothing', undefined, 'agents'],
    ['one that is null', [null], 'it is not an object'],
    ['one that is a list', [[]], 'it is not an object'],
    ['no name', [{}], 'its name must be 1 to 64'],
    ['an empty name', [{ name: '' }], 'its name must be 1 to 64'],
    ['a name that is too long', [{ name: 'a'.repeat(65) }], 'its name must be 1 to 64'],
    ['a name with a space', [{ name: 'a b' }], 'its name must be 1 to 64'],
    ['a name on two lines', [{ name: 'a\n' }], 'its name must be 1 to 64'],
    ['a name that no text can be made of', [{ name: Object.create(null) }], 'its name must be 1 to 64'],
    ['the name of those made for a single task', [{ name: 'task' }], 'made for a single task "task"'],
    ['that name in capitals', [{ name: 'TASK' }], 'made for a single task "task"'],
    ['two of one name', [{ name: 'a' }, { name: 'b' }, { name: 'a' }], 'another agent has this name'],
    ['two that differ in case', [{ name: 'ann' }, { name: 'Ann' }], 'another agent has this name'],
    ['a misspelt key', [{ name: 'a', tool: [] }], 'the unknown key "tool"'],
    ['a description that is no text', [{ name: 'a', description: 1 }], 'its "description" is not text'],
    ['a personality that is null', [{ name: 'a', personality: null }], 'its "personality" is not text'],
    ['instructions that are a function', [{ name: 'a', instructions: () => '' }], 'its "instructions" is not text'],
    ['an empty model', [{ name: 'a', model: '' }], 'its "model" is empty'],
    ['tools that are no list', [{ name: 'a', tools: '*' }], 'its "tools" are not a list'],
    ['an empty glob', [{ name: 'a', tools: [''] }], 'its "tools" are not a list'],
  ])('are refused: %s', (_, profiles, problem) => {
    expect(problemOf(profiles)).toContain(problem)
  })
})
