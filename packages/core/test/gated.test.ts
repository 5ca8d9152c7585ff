import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { delegateToAgent, type Policies, type Policy, policySource } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { asking, asks, call, DOERS, delegates, diedIn, dieIn, PATHS, started, untilIdle } from './gated-paths.ts'
import {
  type Against,
  NOTHING,
  shownIn,
  source,
  type Tried,
  toldOf,
  tried,
  type World,
  worldFor,
} from './gated-world.ts'
import { bob, codeOf, logOf } from './harness.ts'

// Every way by which a tool can come to run, and everything that may be against it. A new way is one more line in PATHS;
// the last tests here fail until whoever adds one has looked at that table.

const DENIES: Policies = { tenant: { tools: { deny: ['act'] } } }
const unreachable = () => {
  throw new Error('The database is gone.')
}
const OTHERS = ['ask', 'look', 'spawn_agent', 'delegate_to_agent']

const AGAINST: readonly Against[] = [
  { name: 'a policy denies it', policies: () => ({ policies: DENIES }) },
  { name: 'a policy allows others only', policies: () => ({ policies: { '*:acme': { tools: { allow: OTHERS } } } }) },
  {
    name: 'one of several sources denies it',
    policies: () => ({ policies: [{}, DENIES, { policiesFor: () => ({}) }] }),
  },
  { name: 'a policy of a plugin denies it', policies: () => ({ plugins: [{ name: 'strict', policies: DENIES }] }) },
  {
    name: 'a policy is turned against it',
    later: true,
    policies: (isChanged) => source(() => (isChanged() ? DENIES : {})),
  },
  {
    name: 'a policy that is asked for elsewhere is turned against it',
    later: true,
    policies: (isChanged) => source(async () => (isChanged() ? DENIES : {})),
  },
  {
    name: 'policies that are kept are told to be loaded anew',
    later: true,
    policies(isChanged, onChange) {
      const policies = policySource({ load: () => (isChanged() ? DENIES : {}) })
      onChange(() => policies.invalidate(bob))
      return { policies }
    },
  },
  { name: 'policies cannot be had', isSilent: true, policies: () => source(unreachable) },
  {
    name: 'policies cannot be had, and are asked for elsewhere',
    isSilent: true,
    policies: () => source(async () => unreachable()),
  },
  {
    name: 'policies cannot be used',
    isSilent: true,
    policies: () => source(() => ({ tenant: { tool: {} } as Policy })),
  },
  {
    name: 'policies cannot be had any more',
    ...{ later: true, isSilent: true },
    policies: (isChanged) => source(() => (isChanged() ? unreachable() : {})),
  },
  {
    name: 'policies are none any more',
    ...{ later: true, isSilent: true },
    policies: (isChanged) => source(() => (isChanged() ? (undefined as never) : {})),
  },
]

describe.each(PATHS)('by way of $name', (path) => {
  it('a tool runs as often as it should when nothing is against it', async () => {
    const world = await tried(path, NOTHING)
    expect(world.ran).toEqual(path.runs ?? ['execute'])
    expect(toldOf(world)).not.toContain('not allowed')
  })

  it.each(AGAINST)('it never runs when $name', async (against) => {
    const world = await tried(path, against)
    expect(world.ran).toEqual([])
    if (!path.isShown) expect(shownIn(world, against)).toBe(0)
    if (!against.isSilent)
      expect(toldOf(world)).toMatch(/The tool \\"act\\" is not (allowed here|offered in this run)\./)
    // Else it was not tried what was to be tried.
    if (against.later) expect(world.changedAt).toBeDefined()
  })
})

const hidden = 'is not offered in this run'
const below = (work: object) => ({ tools: [asking(work)] })

/** Ways in which a run does not have a tool, although policies allow it. */
const HIDDEN: readonly (readonly [string, (world: World) => Promise<unknown>])[] = [
  ['its own tools', (world) => world.open([world.acts, 'Done.']).run(bob, 'Go', { tools: [] })],
  [
    'the profile of its agent',
    (world) =>
      world
        .open([world.acts, 'Done.'], { agents: [{ name: 'reader', tools: ['look'] }] })
        .run(bob, 'Go', { agent: 'reader' }),
  ],
  [
    'what its caller gives it',
    (world) =>
      world
        .open([asks, world.acts, 'Below.', 'Done.'], { tools: [...below({ tools: ['ask'] }).tools, world.act] })
        .run(bob, 'Go'),
  ],
  [
    'what its caller has',
    (world) =>
      world
        .open([asks, world.acts, 'Below.', 'Done.'], { tools: [...below({ tools: ['act'] }).tools, world.act] })
        .run(bob, 'Go', { tools: ['ask'] }),
  ],
  [
    'what the profile of its caller has',
    (world) =>
      world
        .open([asks, asks, world.acts, 'Deep.', 'Below.', 'Done.'], {
          ...{ agents: [{ name: 'reader', tools: ['ask'] }], tools: [asking({ tools: ['act', 'ask'] }), world.act] },
        })
        .run(bob, 'Go', { agent: 'reader' }),
  ],
  [
    'what the caller of its caller has, whoever it is',
    (world) =>
      world
        .open([delegates('boss'), delegates('doer'), world.acts, 'Deep.', 'Below.', 'Done.'], {
          ...{ agents: DOERS, tools: [delegateToAgent(DOERS), world.act] },
        })
        .run(bob, 'Go', { tools: ['delegate_to_agent'] }),
  ],
  [
    'what it had before a crash',
    async (world) => {
      await dieIn(world.store, diedIn({ tools: ['look'] }))
      await world.open(['Done.']).resume(bob)
    },
  ],
  [
    'the profile that its agent has by now',
    async (world) => {
      await dieIn(world.store, diedIn({ agent: 'reader' }))
      await world.open(['Done.'], { agents: [{ name: 'reader', tools: [] }] }).recover(untilIdle)
    },
  ],
  [
    'an agent that there no longer is',
    async (world) => {
      await dieIn(world.store, diedIn({ agent: 'reader' }))
      const orra = world.open([], { agents: [{ name: 'writer' }] })
      expect(await codeOf(orra.resume(bob))).toBe('agent.unknown')
    },
  ],
]

describe('what a run does not have', () => {
  it.each(HIDDEN)('by %s never runs', async (_, go) => {
    const world = worldFor({}, NOTHING)
    await go(world)
    expect(world.ran).toEqual([])
    expect((await logOf(world.open([]), bob)).join() + toldOf(world)).toContain(hidden)
  })
})

describe('what runs', () => {
  const sources = join(import.meta.dirname, '../src')
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file))
    .map((file) => ({
      file: file.replaceAll('\\', '/'),
      code: readFileSync(join(sources, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''),
    }))
  const countOf = (pattern: RegExp) =>
    Object.fromEntries(
      files.flatMap(({ file, code }) => {
        const { length } = code.match(pattern) ?? []
        return length ? [[file, length]] : []
      }),
    )

  const sum = (counts: { readonly [file: string]: number }) =>
    Object.values(counts).reduce((all, count) => all + count, 0)

  // Whoever changes one of these numbers adds the path to PATHS.
  it('is called in two places of the loop, which the paths lead to', () => {
    const called = countOf(/(\.|\[['"])(execute|reconcile)(['"]\])?\s*(\?\.)?(\(|\.(call|apply)\()/g)
    const [caller = '', ...others] = Object.keys(called)
    expect([caller.startsWith('loop/'), others, sum(called)]).toEqual([true, [], 2])
    expect(countOf(/\.(execute|reconcile)\.bind\(/g)).toEqual({ 'tool.ts': 2 })
    // Where it is neither called nor bound, it is asked whether it is there; and it is handed on to nobody.
    expect(countOf(/\.(execute|reconcile)\b(?!\??\.?\(|\.bind)/g)).toEqual({ [caller]: 1, 'tool.ts': 5 })
    expect(countOf(/\{[^{}\n]*\b(execute|reconcile)\b[^{}\n]*\} = /g)).toEqual({})
    const speaking = Object.keys(countOf(/\b(execute|reconcile)\b/g))
    expect(speaking.sort()).toEqual(['agents/agent-tools.ts', caller, 'context/read-result.ts', 'tool.ts'].sort())
  })

  it('is led to by the loop alone, which asks before it takes a call up and once it is approved', () => {
    const importers = Object.keys(countOf(/from '.*\/(tool-call|perform-call)\.ts'/g))
    expect(importers.filter((file) => file !== 'loop/run.ts' && file !== 'loop/tool-call.ts')).toEqual([])
    expect(countOf(/\bcallTools\(/g)).toEqual({ 'loop/run.ts': 1, 'loop/tool-call.ts': 1 })
    expect(countOf(/\bperform(Call)?\(/g)['loop/tool-call.ts']).toBeLessThanOrEqual(2)
    expect(countOf(/\brefusalOf\(/g)).toMatchObject({ 'loop/tool-call.ts': 1, 'loop/perform-call.ts': 2 })
  })
})

describe('a tool does not run', () => {
  const turned = AGAINST.find(({ name }) => name === 'a policy is turned against it') ?? NOTHING

  it('when a policy is turned against it while it finds out what had come of the call', async () => {
    const reconcile = () => world.change()
    const world: Tried = worldFor({ hints: { reconcile: reconcile as () => undefined } }, turned)
    await dieIn(world.store, diedIn({}, started))
    await world.open(['Done.']).resume(bob)
    expect(world.ran).toEqual(['reconcile'])
  })

  it('when a policy asks for an approval while a hook takes its time', async () => {
    let isRaised = false
    const beforeToolCall = () => {
      isRaised = true
    }
    const world = worldFor(
      {},
      {
        name: '',
        policies: () => source(() => (isRaised ? { tenant: { approval: { act: 'always' } } } : {})),
      },
    )
    await world.open([call, 'Done.'], { hooks: [{ beforeToolCall }] }).run(bob, 'Go')
    expect(world.ran).toEqual([])
  })
})
