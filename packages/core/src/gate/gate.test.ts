import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { APPROVAL_LEVELS } from '../approval-level.ts'
import { Namespace } from '../namespace.ts'
import { createGate } from './gate.ts'
import type { Policies } from './policy.ts'
import type { PolicySource } from './policy-source.ts'
import type { Action, Rules } from './rules.ts'

const SEGMENTS = ['a', 'b', 'c'] as const
const NAMES = ['list_tasks', 'list_users', 'move_task', 'exec'] as const

const glob = fc.constantFrom('*', 'list_*', '*_task', 'move_task', 'exec', '*s*')
const rule = fc.record(
  { allow: fc.array(glob, { maxLength: 3 }), deny: fc.array(glob, { maxLength: 2 }) },
  { requiredKeys: [] },
)
const limits = fc.record(
  { usdPerDay: fc.nat(9), runsPerMinute: fc.nat(9), maxTurns: fc.integer({ min: 1, max: 9 }), spawnDepth: fc.nat(5) },
  { requiredKeys: [] },
)
const approval = fc.dictionary(glob, fc.constantFrom('never', 'unless-auto-approved', 'always'), { maxKeys: 3 })
const pattern = fc
  .array(fc.constantFrom(...SEGMENTS, '*'), { minLength: 1, maxLength: 4 })
  .map((list) => list.join(':'))
const policy = fc.record({ tools: rule, models: rule, agents: rule, approval, limits }, { requiredKeys: [] })
const policies: fc.Arbitrary<Policies> = fc.dictionary(pattern, policy, { maxKeys: 6 })
const path = fc
  .array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 5 })
  .map((list) => list as [string, ...string[]])
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constantFrom('tool' as const, 'model' as const), name: fc.constantFrom(...NAMES) }),
  fc.record({
    type: fc.constant('agent' as const),
    name: fc.constantFrom(...NAMES),
    depth: fc.integer({ min: 1, max: 6 }),
  }),
)
/** Policies that stand still, and such as come at once or later from elsewhere. */
const source = fc
  .tuple(policies, fc.constantFrom('fixed', 'sync', 'async'))
  .map(([tree, kind]): Policies | PolicySource =>
    kind === 'fixed' ? tree : { policiesFor: () => (kind === 'sync' ? tree : Promise.resolve(tree)) },
  )
const sources = fc.array(source, { maxLength: 3 })

describe('the gate', () => {
  it('narrows from ancestors to descendants, whatever policies there are and wherever they come from', async () => {
    const narrows = fc.asyncProperty(sources, path, path, action, async (given, above, below, what) => {
      const gate = createGate(given)
      const ancestor = Namespace.of(...above)
      expectNarrower(await gate.at(ancestor), await gate.at(ancestor.child(...below)), what)
    })
    await fc.assert(narrows, { numRuns: 5000 })
  })

  it('narrows with every policy that is added', async () => {
    const narrows = fc.asyncProperty(sources, sources, path, action, async (some, more, where, what) => {
      const namespace = Namespace.of(...where)
      expectNarrower(await createGate(some).at(namespace), await createGate([...more, ...some]).at(namespace), what)
    })
    await fc.assert(narrows, { numRuns: 5000 })
  })

  it('decides as each policy would alone, in one tree as in several', () => {
    fc.assert(
      fc.property(policies, path, action, (tree, where, what) => {
        const subject = `${what.type}s` as const
        const held = Object.entries(tree).filter(([key]) => matches(`${key}:*`, `${where.join(':')}:`))
        const allows = held.every(([, { [subject]: { allow = ['*'], deny = [] } = {} }]) => {
          const hits = (globs: readonly string[]) => globs.some((one) => matches(one, what.name))
          return hits(allow) && !hits(deny)
        })
        const depths = held.flatMap(([, { limits }]) => limits?.spawnDepth ?? [])
        const isTooDeep = what.type === 'agent' && what.depth > (depths.length > 0 ? Math.min(...depths) : 3)
        const several = Object.entries(tree).map(([key, one]) => ({ [key]: one }))
        for (const gate of [createGate([tree]), createGate(several)]) {
          expect(rulesAt(gate, where.join(':')).decide(what).allowed).toBe(allows && !isTooDeep)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('allows everything where no policy holds', () => {
    const gate = createGate([{ 'tenant:acme': { tools: { deny: ['*'] } } }])
    const tool = { type: 'tool', name: 'exec' } as const
    expect(rulesAt(gate, 'tenant:other').decide(tool)).toEqual({ allowed: true })
    expect(rulesAt(gate, 'tenant').decide(tool)).toEqual({ allowed: true })
    expect(rulesAt(gate, 'tenant:acme').decide({ type: 'model', name: 'any' })).toEqual({ allowed: true })
    expect(rulesAt(createGate([]), 'a').decide(tool)).toEqual({ allowed: true })
    expect(rulesAt(gate, 'tenant:other').approvalOf('exec')).toBeUndefined()
    expect(rulesAt(gate, 'tenant:acme').limits).toEqual([])
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
    ['a%2A*', 'a*c', 'move_task', 'a%2A*: tools.allow'],
    ['a%2A*', 'abc', 'move_task', undefined],
    ['a%25*', 'a%25b', 'move_task', 'a%25*: tools.allow'],
    ['constructor', 'constructor', 'move_task', 'constructor: tools.allow'],
  ])('%s at %s: %s', (where, key, name, rule) => {
    const gate = createGate([{ [where]: { tools: { allow: ['list_*'] } } }])
    const decision = rulesAt(gate, key).decide({ type: 'tool', name })
    expect(decision.allowed ? undefined : decision.rule).toBe(rule)
  })

  it('lets deny win over allow', () => {
    const gate = createGate([{ '*': { tools: { allow: ['exec', 'list_*'], deny: ['ex*'] } } }])
    const decision = rulesAt(gate, 'a').decide({ type: 'tool', name: 'exec' })
    expect(decision).toMatchObject({ allowed: false, rule: '*: tools.deny ex*' })
  })

  it.each([
    [undefined, 3, undefined],
    [undefined, 4, 'limits.spawnDepth, by default'],
    [undefined, Number.NaN, 'limits.spawnDepth, by default'],
    [5, 5, undefined],
    [5, 6, 'a: limits.spawnDepth'],
    [0, 1, 'a: limits.spawnDepth'],
  ])('with a depth of %s for sub-agents lets them be %s deep unless by %s', (spawnDepth, depth, rule) => {
    const gate = createGate([{ a: { limits: spawnDepth === undefined ? {} : { spawnDepth } } }])
    const decision = rulesAt(gate, 'a:b').decide({ type: 'agent', name: 'task', depth })
    expect(decision.allowed ? undefined : decision.rule).toBe(rule)
  })

  it('asks for the strictest approval of all policies and globs', () => {
    const gate = createGate([
      { 'a:*': { approval: { exec: 'unless-auto-approved', 'ex*': 'never' } }, a: { approval: { '*': 'never' } } },
      { 'a:b': { approval: { 'e*': 'always' } } },
    ])
    expect(rulesAt(gate, 'a').approvalOf('exec')).toEqual({ level: 'never', rule: 'a: approval *' })
    expect(rulesAt(gate, 'a:c').approvalOf('exec')).toEqual({
      level: 'unless-auto-approved',
      rule: 'a:*: approval exec',
    })
    expect(rulesAt(gate, 'a:b:c').approvalOf('exec')).toEqual({ level: 'always', rule: 'a:b: approval e*' })
  })

  it('counts a limit where its pattern ends', () => {
    const gate = createGate([
      { 'tenant:*': { limits: { usdPerDay: 50, maxTurns: 8 } }, 'tenant:*:user:*': { limits: { usdPerDay: 2.5 } } },
    ])
    const rules = rulesAt(gate, 'tenant:acme:user:bob:draft')
    expect(rules.limits.map((held) => ({ ...held, namespace: held.namespace.key }))).toEqual([
      { name: 'usdPerDay', value: 50, namespace: 'tenant:acme', rule: 'tenant:*: limits.usdPerDay' },
      { name: 'maxTurns', value: 8, namespace: 'tenant:acme', rule: 'tenant:*: limits.maxTurns' },
      { name: 'usdPerDay', value: 2.5, namespace: 'tenant:acme:user:bob', rule: 'tenant:*:user:*: limits.usdPerDay' },
    ])
    expect(rules.limit('usdPerDay')?.value).toBe(2.5)
    expect(rules.limit('maxTurns')?.value).toBe(8)
    expect(rules.limit('runTimeMs')).toBeUndefined()
  })

  it('says the same of a namespace however many others are asked about', () => {
    const gate = createGate([{ 'user:*7': { tools: { deny: ['exec'] }, limits: { usdPerDay: 1 } } }])
    for (let round = 0; round < 2; round++) {
      for (let user = 0; user < 2500; user++) {
        const rules = rulesAt(gate, `user:${user}`)
        const isHeld = user % 10 === 7
        expect(rules.decide({ type: 'tool', name: 'exec' }).allowed).toBe(!isHeld)
        expect(rules.limit('usdPerDay')?.namespace.key).toBe(isHeld ? `user:${user}` : undefined)
        expect(rulesAt(gate, `user:${user}`)).toBe(rules)
      }
    }
  })
})

/** All that one set of rules denies, asks for and limits, the other does too. Only the default depth is no policy. */
function expectNarrower(wider: Rules, narrower: Rules, what: Action): void {
  const decision = wider.decide(what)
  if (!decision.allowed && !decision.rule.endsWith('by default')) expect(narrower.decide(what).allowed).toBe(false)
  expect(levelOf(narrower, what.name)).toBeGreaterThanOrEqual(levelOf(wider, what.name))
  for (const held of wider.limits) {
    expect(narrower.limits).toContainEqual(held)
    expect(narrower.limit(held.name)?.value).toBeLessThanOrEqual(held.value)
  }
}

function levelOf(rules: Rules, tool: string): number {
  return APPROVAL_LEVELS[rules.approvalOf(tool)?.level ?? 'never']
}

function rulesAt(gate: ReturnType<typeof createGate>, key: string): Rules {
  const rules = gate.at(Namespace.parse(key))
  if (rules instanceof Promise) throw new Error('Policies that stand still are known at once.')
  return rules
}

/** In patterns of one letter a segment, and in names. */
function matches(globOrPattern: string, text: string): boolean {
  const last = globOrPattern.endsWith(':*') ? '.*' : ''
  const source = last ? globOrPattern.slice(0, -1).replaceAll('*', '[^:]*') : globOrPattern.replaceAll('*', '.*')
  return new RegExp(`^${source}${last}$`).test(text)
}
