import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { createGate } from './gate.ts'
import { globTest } from './glob.ts'
import type { Policies } from './policy.ts'

const SEGMENTS = ['a', 'b', 'c'] as const
const NAMES = ['list_tasks', 'list_users', 'move_task', 'exec'] as const

const glob = fc.constantFrom('*', 'list_*', '*_task', 'move_task', 'exec', '*s*')
const rule = fc.record(
  { allow: fc.array(glob, { maxLength: 3 }), deny: fc.array(glob, { maxLength: 2 }) },
  { requiredKeys: [] },
)
const pattern = fc
  .array(fc.constantFrom(...SEGMENTS, '*'), { minLength: 1, maxLength: 4 })
  .map((list) => list.join(':'))
const policies = fc.dictionary(pattern, fc.record({ tools: rule, models: rule }, { requiredKeys: [] }), { maxKeys: 6 })
const path = fc
  .array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 5 })
  .map((list) => list as [string, ...string[]])
const action = fc.record({ type: fc.constantFrom('tool' as const, 'model' as const), name: fc.constantFrom(...NAMES) })

describe('the gate', () => {
  it('never allows a descendant what an ancestor is denied', () => {
    fc.assert(
      fc.property(policies, path, path, action, (tree, above, below, what) => {
        const gate = createGate(tree)
        const ancestor = Namespace.of(...above)
        const descendant = ancestor.child(...below)
        if (!gate.decide(ancestor, what).allowed) expect(gate.decide(descendant, what).allowed).toBe(false)
      }),
      { numRuns: 5000 },
    )
  })

  it('never allows more for a policy that is added', () => {
    fc.assert(
      fc.property(policies, policies, path, action, (some, more, where, what) => {
        const [before, after] = [createGate(some), createGate(merge(some, more))]
        const namespace = Namespace.of(...where)
        if (!before.decide(namespace, what).allowed) expect(after.decide(namespace, what).allowed).toBe(false)
      }),
      { numRuns: 5000 },
    )
  })

  it('allows everything where no policy holds', () => {
    const gate = createGate({ 'tenant:acme': { tools: { deny: ['*'] } } })
    expect(gate.decide(Namespace.of('tenant', 'other'), { type: 'tool', name: 'exec' })).toEqual({ allowed: true })
    expect(gate.decide(Namespace.of('tenant'), { type: 'tool', name: 'exec' })).toEqual({ allowed: true })
    expect(gate.decide(Namespace.of('tenant', 'acme'), { type: 'model', name: 'any' })).toEqual({ allowed: true })
  })

  it.each([
    ['company:viewer:*', 'company:viewer:vic', 'move_task', 'company:viewer:*: tools.allow'],
    ['company:viewer:*', 'company:viewer:vic:draft:2', 'move_task', 'company:viewer:*: tools.allow'],
    ['company:viewer:*', 'company:viewer:vic', 'list_tasks', undefined],
    ['company:viewer:*', 'company:viewer', 'move_task', undefined],
    ['company:viewer:*', 'company:viewers:vic', 'move_task', undefined],
    ['company:v*:vic', 'company:viewer:vic', 'move_task', 'company:v*:vic: tools.allow'],
    ['*', 'company', 'move_task', '*: tools.allow'],
    ['a%3Ab', 'a:b', 'move_task', undefined],
    ['a%3Ab', 'a%3Ab', 'move_task', 'a%3Ab: tools.allow'],
    ['a%2A', 'a*', 'move_task', 'a%2A: tools.allow'],
    ['a%2A', 'abc', 'move_task', undefined],
  ])('%s at %s: %s', (where, key, name, rule) => {
    const decision = createGate({ [where]: { tools: { allow: ['list_*'] } } }).decide(Namespace.parse(key), {
      type: 'tool',
      name,
    })
    expect(decision.allowed ? undefined : decision.rule).toBe(rule)
  })

  it('lets deny win over allow', () => {
    const gate = createGate({ '*': { tools: { allow: ['exec', 'list_*'], deny: ['ex*'] } } })
    const decision = gate.decide(Namespace.of('a'), { type: 'tool', name: 'exec' })
    expect(decision).toMatchObject({ allowed: false, rule: '*: tools.deny ex*' })
  })

  it.each([
    ['a misspelt subject', { '*': { tool: { deny: ['exec'] } } }, 'unknown key "tool"'],
    ['a misspelt rule', { '*': { tools: { denied: ['exec'] } } }, 'unknown key "denied"'],
    ['a name that is no list', { '*': { tools: { deny: 'exec' } } }, '"tools.deny" must be a list'],
    ['an empty name', { '*': { tools: { allow: [''] } } }, '"tools.allow" must be a list'],
    ['a policy that is a list', { '*': [] }, 'is not an object'],
    ['no policy', { '*': null }, 'is not an object'],
    ['an empty pattern', { '': {} }, 'empty segment'],
    ['an empty segment', { 'a::b': {} }, 'empty segment'],
    ['a wrong escape', { 'a%41': {} }, 'has a "%"'],
  ])('refuses %s', (_, tree, problem) => {
    try {
      createGate(tree as unknown as Policies)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'policy.invalid') && error.message).toContain(problem)
    }
  })
})

describe('a glob', () => {
  it('matches as the textbook says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
    const globs = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 })
    fc.assert(
      fc.property(globs, letters, (pattern, name) => {
        expect(globTest(pattern)(name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
      }),
      { numRuns: 5000 },
    )
  })
})

/** Both of two trees: where they share a pattern, the second gets a spelling of its own that holds for the same. */
function merge(some: Policies, more: Policies): Policies {
  const renamed = Object.entries(more).map(([key, policy]) => [
    key in some ? key.replace(/[abc]|(?<!\*)\*(?!\*)/, '$&*') : key,
    policy,
  ])
  return { ...Object.fromEntries(renamed), ...some }
}
