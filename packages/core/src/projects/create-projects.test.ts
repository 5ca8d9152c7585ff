import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { createGate } from '../gate/gate.ts'
import type { Policies } from '../gate/policy.ts'
import type { Rules } from '../gate/rules.ts'
import { Namespace } from '../namespace.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Records } from '../store/records.ts'
import { createProjects, type Projects } from './create-projects.ts'
import type { NewProject, Project, ProjectChange } from './project.ts'

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const alice = Namespace.of('tenant', 'acme', 'user', 'alice')

/** What the gate lets namespaces use where there are no other policies. */
function allowedBy(policies: Policies) {
  const gate = createGate([policies])
  return (namespace: Namespace, tool: string) =>
    (gate.at(namespace) as Rules).decide({ type: 'tool', name: tool }).allowed
}

const projectsOf = (): Projects => createProjects(memoryStore().records)

/** The code that it fails with, and the option where there is one. */
async function refusal(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    if (isOrraError(error, 'options.invalid')) return error.details.option
    return isOrraError(error) ? error.code : error
  }
  return undefined
}

describe('projects', () => {
  it('are kept as they were made', async () => {
    const projects = createProjects(memoryStore({ now: () => 1000 }).records)
    const given = { id: 'garden', name: 'Garden', instructions: 'Plant.', tools: ['list_*'], metadata: { plot: 3 } }
    const made = await projects.create(bob, given)
    expect(made).toEqual({
      ...given,
      owner: bob,
      active: true,
      version: made.version,
      createdAt: 1000,
      updatedAt: 1000,
    })
    expect(await projects.get(bob, 'garden')).toEqual(made)
    expect(projects.instructionsOf(made)).toBe('Plant.')
  })

  it('have ids of their own, and only what was given', async () => {
    const projects = projectsOf()
    const first = await projects.create(bob, { name: 'One', active: false })
    const second = await projects.create(bob, { name: 'One' })
    expect(first.id).not.toBe(second.id)
    expect(Object.keys(second).sort()).toEqual(['active', 'createdAt', 'id', 'name', 'owner', 'updatedAt', 'version'])
    expect([first.active, second.active]).toEqual([false, true])
    expect(projects.instructionsOf(first)).toBeUndefined()
  })

  it('are made only once under one id of one owner', async () => {
    const projects = projectsOf()
    await projects.create(bob, { id: 'x', name: 'One' })
    expect(await refusal(() => projects.create(bob, { id: 'x', name: 'Two' }))).toBe('store.conflict')
    await projects.create(alice, { id: 'x', name: 'Hers' })
    expect((await projects.get(bob, 'x'))?.name).toBe('One')
  })

  it('are not within reach of another owner, above or below', async () => {
    const projects = projectsOf()
    await projects.create(bob, { id: 'x', name: 'One' })
    for (const other of [alice, bob.parent as Namespace, bob.child('project', 'x')]) {
      expect(await projects.get(other, 'x')).toBeUndefined()
      expect(await projects.update(other, 'x', { name: 'Mine' })).toBeUndefined()
      expect(await projects.delete(other, 'x')).toBe(false)
      expect((await projects.list(other)).items).toEqual([])
    }
    expect((await projects.get(bob, 'x'))?.name).toBe('One')
  })

  it('are listed in pages', async () => {
    const projects = projectsOf()
    for (const id of ['c', 'a', 'b']) await projects.create(bob, { id, name: id })
    const first = await projects.list(bob, { limit: 2 })
    const { next: after = '' } = first
    const second = await projects.list(bob, { limit: 2, after })
    expect([first, second].map(({ items }) => items.map(({ id }) => id))).toEqual([['a', 'b'], ['c']])
    expect(second.next).toBeUndefined()
  })

  it('go when they are deleted, at the version that is expected', async () => {
    const projects = projectsOf()
    const { version } = await projects.create(bob, { id: 'x', name: 'One' })
    expect(await refusal(() => projects.delete(bob, 'x', { expect: version + 1 }))).toBe('store.conflict')
    expect(await projects.delete(bob, 'x', { expect: version })).toBe(true)
    expect(await projects.delete(bob, 'x')).toBe(false)
    expect(await projects.get(bob, 'x')).toBeUndefined()
  })
})

describe('a change of a project', () => {
  it('leaves what it does not name, and removes what it names null', async () => {
    const projects = projectsOf()
    const given = { id: 'x', name: 'One', instructions: 'Do.', tools: ['*'], metadata: { a: 1, b: 2 } }
    const before = await projects.create(bob, given)
    const after = await projects.update(bob, 'x', { name: 'Two', instructions: null, metadata: { b: 3 } })
    expect(after).toMatchObject({ name: 'Two', tools: ['*'], metadata: { b: 3 }, active: true })
    expect(after && 'instructions' in after).toBe(false)
    expect(after?.version).toBeGreaterThan(before.version)
    const bare = await projects.update(bob, 'x', { tools: null, metadata: null })
    expect(bare && ('tools' in bare || 'metadata' in bare)).toBe(false)
    expect(await projects.get(bob, 'x')).toEqual(bare)
  })

  it('can be to switch it off and on', async () => {
    const projects = projectsOf()
    await projects.create(bob, { id: 'x', name: 'One' })
    expect((await projects.setActive(bob, 'x', false))?.active).toBe(false)
    expect((await projects.setActive(bob, 'x', true))?.active).toBe(true)
    expect(await projects.setActive(bob, 'y', true)).toBeUndefined()
  })

  it('makes no project where there is none', async () => {
    const projects = projectsOf()
    expect(await projects.update(bob, 'x', { name: 'One' })).toBeUndefined()
    expect(await refusal(() => projects.update(bob, 'x', { name: 'One' }, { expect: 1 }))).toBe('store.conflict')
    expect(await projects.get(bob, 'x')).toBeUndefined()
  })

  it('is refused at another version than it expects', async () => {
    const projects = projectsOf()
    const { version } = await projects.create(bob, { id: 'x', name: 'One' })
    await projects.update(bob, 'x', { name: 'Two' }, { expect: version })
    expect(await refusal(() => projects.update(bob, 'x', { name: 'Three' }, { expect: version }))).toBe(
      'store.conflict',
    )
    expect((await projects.get(bob, 'x'))?.name).toBe('Two')
  })

  it('does not undo what others change at the same time', async () => {
    const projects = projectsOf()
    await projects.create(bob, { id: 'x', name: 'One' })
    const changes: readonly ProjectChange[] = [
      { name: 'Two' },
      { instructions: 'Do.' },
      { tools: ['a'] },
      { metadata: { a: 1 } },
      { active: false },
    ]
    await Promise.all(changes.map((change) => projects.update(bob, 'x', change)))
    expect(await projects.get(bob, 'x')).toMatchObject(Object.assign({}, ...changes))
  })

  it('ends when its project goes meanwhile', async () => {
    const { records } = memoryStore()
    const key = { collection: 'orra.projects', namespace: bob, id: 'x' }
    const slow: Records = {
      ...records,
      async put(...call) {
        if (call[2]?.version !== 0) await records.delete(key)
        return await records.put(...call)
      },
    }
    const projects = createProjects(slow)
    await projects.create(bob, { id: 'x', name: 'One' })
    expect(await projects.update(bob, 'x', { name: 'Two' })).toBeUndefined()
    expect(await projects.get(bob, 'x')).toBeUndefined()
  })

  it('is not begun once its signal has aborted, nor is anything else', async () => {
    const projects = projectsOf()
    await projects.create(bob, { id: 'x', name: 'One' })
    const signal = AbortSignal.abort('enough')
    const calls = [
      () => projects.create(bob, { name: 'Two' }, { signal }),
      () => projects.get(bob, 'x', { signal }),
      () => projects.update(bob, 'x', { name: 'Two' }, { signal }),
      () => projects.setActive(bob, 'x', false, { signal }),
      () => projects.delete(bob, 'x', { signal }),
      () => projects.list(bob, { signal }),
    ]
    for (const call of calls) await expect(call()).rejects.toBe('enough')
    expect((await projects.list(bob)).items).toMatchObject([{ name: 'One', active: true }])
  })
})

describe('the namespace of a project', () => {
  const segment = fc
    .string({ unit: fc.constantFrom('a', '*', '%', ':', '2A', '%2A', '.', 'é', ' '), minLength: 1, maxLength: 4 })
    .filter((text) => text.trim() !== '')
  const owners = fc.array(segment, { minLength: 1, maxLength: 3 }).map((list) => Namespace.of(...(list as [string])))
  const globs = fc.array(fc.constantFrom('list_*', 'exec', '*'), { maxLength: 2 })

  it('lies below its owner', async () => {
    const projects = projectsOf()
    const made = await projects.create(bob, { id: '../a:b*', name: 'One' })
    expect(projects.namespaceOf(made).segments).toEqual([...bob.segments, 'project', '../a:b*'])
  })

  it('may use the tools that are enabled, none while it is not active, and no other namespace is narrowed', async () => {
    const projects = projectsOf()
    await fc.assert(
      fc.asyncProperty(owners, segment, segment, globs, fc.boolean(), async (owner, id, otherId, tools, active) => {
        await projects.delete(owner, id)
        const project = await projects.create(owner, { id, name: 'One', tools, active })
        const here = projects.namespaceOf(project)
        const allows = allowedBy(projects.policiesOf(project))
        for (const namespace of [here, here.child('thread', '1')]) {
          expect(allows(namespace, 'exec')).toBe(active && tools.some((glob) => glob !== 'list_*'))
          expect(allows(namespace, 'list_tasks')).toBe(active && tools.some((glob) => glob !== 'exec'))
        }
        expect(allows(owner, 'exec')).toBe(true)
        const other = projects.namespaceOf({ ...project, id: otherId })
        if (otherId !== id) expect(allows(other, 'exec')).toBe(true)
      }),
    )
  })

  it('may use all tools where none are named', async () => {
    const projects = projectsOf()
    const project = await projects.create(bob, { name: 'One' })
    const allows = allowedBy(projects.policiesOf(project))
    expect(allows(projects.namespaceOf(project), 'exec')).toBe(true)
  })
})

describe('projects refuse', () => {
  it.each([
    ['no name', {}, 'name'],
    ['a blank name', { name: '  ' }, 'name'],
    ['a name that is too long', { name: 'a'.repeat(257) }, 'name'],
    ['an empty id', { name: 'a', id: '' }, 'id'],
    ['an id with NUL', { name: 'a', id: 'a\0b' }, 'id'],
    ['half a character in an id', { name: 'a', id: '\uD800' }, 'id'],
    ['instructions that are no text', { name: 'a', instructions: 5 }, 'instructions'],
    ['instructions that are null', { name: 'a', instructions: null }, 'instructions'],
    ['tools that are text', { name: 'a', tools: '*' }, 'tools'],
    ['an empty glob', { name: 'a', tools: [''] }, 'tools'],
    ['metadata that is a list', { name: 'a', metadata: [] }, 'metadata'],
    ['metadata that JSON cannot hold', { name: 'a', metadata: { a: () => 1 } }, 'metadata'],
    ['an active that is text', { name: 'a', active: 'yes' }, 'active'],
    ['a misspelt field', { name: 'a', tool: [] }, 'tool'],
    ['a project that is null', null, 'options'],
  ])('%s', async (_, project, option) => {
    const projects = projectsOf()
    expect(await refusal(() => projects.create(bob, project as unknown as NewProject))).toBe(option)
    expect((await projects.list(bob)).items).toEqual([])
  })

  it('an id whose namespace would be too long', async () => {
    const projects = projectsOf()
    const deep = Namespace.of('a'.repeat(900))
    expect(await refusal(() => projects.create(deep, { id: 'b'.repeat(200), name: 'One' }))).toBe('namespace.invalid')
    expect((await projects.list(deep)).items).toEqual([])
  })

  it.each<[string, (projects: Projects) => unknown, string]>([
    ['an owner that is text', (projects) => projects.get('bob' as unknown as Namespace, 'x'), 'namespace.invalid'],
    ['a list of nobody', (projects) => projects.list(undefined as unknown as Namespace), 'namespace.invalid'],
    ['no id', (projects) => projects.get(bob, undefined as unknown as string), 'id'],
    ['a change of the id', (projects) => projects.update(bob, 'x', { id: 'y' } as ProjectChange), 'id'],
    ['a name of null', (projects) => projects.update(bob, 'x', { name: null } as unknown as ProjectChange), 'name'],
    ['no switch', (projects) => projects.setActive(bob, 'x', undefined as unknown as boolean), 'active'],
    ['a version that is none', (projects) => projects.delete(bob, 'x', { expect: 0 }), 'expect'],
    ['a misspelt option', (projects) => projects.list(bob, { max: 1 } as object), 'max'],
    ['a page of nothing', (projects) => projects.list(bob, { limit: 0 }), 'limit'],
    ['a signal that is none', (projects) => projects.get(bob, 'x', { signal: {} as AbortSignal }), 'signal'],
    ['records that are none', () => createProjects({} as Records), 'records'],
    ['a whole store', () => createProjects(memoryStore() as unknown as Records), 'records'],
  ])('%s', async (_, work, what) => {
    expect(await refusal(() => work(projectsOf()))).toBe(what)
  })

  it('nothing that a project can hold', async () => {
    const projects = projectsOf()
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => name.trim() !== '')
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.string({ unit: 'grapheme' }),
        fc.dictionary(text, text),
        async (name, told, metadata) => {
          fc.pre(!name.includes('\0'))
          const given = { name, instructions: told, metadata }
          const made: Project = await projects.create(bob, given)
          expect(await projects.get(bob, made.id)).toEqual(made)
          expect(JSON.stringify(made.metadata)).toBe(JSON.stringify(metadata))
          expect([made.name, made.instructions]).toEqual([name, told])
        },
      ),
    )
  })
})
