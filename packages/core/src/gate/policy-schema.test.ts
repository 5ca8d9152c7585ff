import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { createGate } from './gate.ts'
import type { Policies } from './policy.ts'

const SUBJECTS = 'tools, models, agents, approval, limits'

describe('policies', () => {
  it.each([
    ['a misspelt subject', { tool: { deny: ['exec'] } }, `it has the unknown key "tool"; known are ${SUBJECTS}`],
    ['a misspelt rule', { tools: { denied: ['exec'] } }, '"tools" has the unknown key "denied"; known are allow, deny'],
    ['a misspelt limit', { limits: { usdPerYear: 1 } }, '"limits" has the unknown key "usdPerYear"; known are runsPer'],
    ['a key of every object', { constructor: {} }, 'it has the unknown key "constructor"'],
    ['a prototype as a key', JSON.parse('{"__proto__":{"tools":{}}}'), 'it has the unknown key "__proto__"'],
    ['a key with signs in it', { tools: { 'a/~b#%25 c': 1 } }, '"tools" has the unknown key "a/~b#%25 c"'],
    ['names that are no list', { tools: { deny: 'exec' } }, '"tools.deny" must be a list of names or globs'],
    ['an empty name', { models: { allow: [''] } }, '"models.allow" must be a list of names or globs'],
    ['a name that is none', { agents: { deny: ['a', 1] } }, '"agents.deny" must be a list of names or globs'],
    ['a list with a hole', { tools: { deny: [undefined] } }, '"tools.deny" must be a list of names or globs'],
    ['a rule that is null', { tools: null }, '"tools" must be an object that holds "allow" or "deny"'],
    [
      'a level that is none',
      { approval: { exec: 'ask' } },
      '"approval.exec" must be "never" or "unless-auto-approved"',
    ],
    ['a level of the wrong kind', { approval: { 'mail/*': true } }, '"approval.mail/*" must be "never" or'],
    ['approval for no tool', { approval: { '': 'always' } }, '"approval" has an empty key'],
    ['approvals in a list', { approval: ['exec'] }, '"approval" must be an object, from the names'],
    ['a negative number', { limits: { usdPerDay: -0.1 } }, '"limits.usdPerDay" must be US dollars, from 0'],
    ['a number in a text', { limits: { usdPerDay: '5' } }, '"limits.usdPerDay" must be US dollars'],
    ['no number', { limits: { usdPerDay: Number.NaN } }, '"limits.usdPerDay" must be US dollars'],
    [
      'an endless amount',
      { limits: { tokensPerDay: Number.POSITIVE_INFINITY } },
      '"limits.tokensPerDay" must be a whole',
    ],
    ['part of a token', { limits: { tokensPerDay: 0.5 } }, '"limits.tokensPerDay" must be a whole number, 0 or more'],
    ['no turns', { limits: { maxTurns: 0 } }, '"limits.maxTurns" must be a whole number above 0'],
    ['no runs at a time', { limits: { concurrentRuns: 0 } }, '"limits.concurrentRuns" must be a whole number above 0'],
    ['no time', { limits: { runTimeMs: 0 } }, '"limits.runTimeMs" must be a whole number of milliseconds'],
    ['more time than timers hold', { limits: { runTimeMs: 2 ** 31 } }, '"limits.runTimeMs" must be a whole number of'],
    ['a list', [], `it must be an object that holds ${SUBJECTS}`],
    ['null', null, `it must be an object that holds ${SUBJECTS}`],
    ['nothing', undefined, 'it must be plain data'],
    ['a set of names', { tools: { deny: new Set(['exec']) } }, 'it must be plain data'],
    ['a map', new Map([['tools', { deny: ['exec'] }]]), 'it must be plain data'],
    ['a function', { tools: () => ({ deny: ['*'] }) }, 'it must be plain data'],
    ['a circle', circle(), 'it must be plain data'],
  ])('refuse %s', (_, policy, problem) => {
    const text = problemOf({ 'tenant:*': policy })
    expect(text).toContain('The policy for "tenant:*" cannot be used: ')
    expect(text).toContain(problem)
  })

  it.each([
    ['an empty pattern', { '': {} }, 'empty segment'],
    ['an empty segment', { 'a::b': {} }, 'empty segment'],
    ['a wrong escape', { 'a%41': {} }, 'has a "%"'],
    ['what no namespace holds', { 'a\0': {} }, 'NUL'],
    ['half a character', { '\ud800': {} }, 'surrogate'],
    ['a list', [{ tools: {} }], 'The policies cannot be used: give one plain object'],
    ['a map', new Map([['*', {}]]), 'give one plain object'],
    ['text', '*', 'give one plain object'],
    ['null', null, 'give one plain object'],
    ['a misspelt source', { policyFor: () => ({}) }, 'must be plain data'],
  ])('refuse %s', (_, policies, problem) => {
    expect(problemOf(policies)).toContain(problem)
  })

  it('take limits of nothing, every kind of rule, and what is left undefined', () => {
    const none = { runsPerDay: 0, tokensPerMonth: 0, usdPerHour: 0, toolCallsPerRun: 0, spawnDepth: 0 }
    const policy = {
      tools: {},
      models: { allow: [] },
      agents: { deny: ['*'] },
      approval: { '*': 'always' },
      limits: none,
    }
    const whole = { '*': policy, a: { tools: undefined, limits: { usdPerDay: undefined } } }
    expect(() => createGate([whole as unknown as Policies])).not.toThrow()
    expect(() => createGate([Object.assign(Object.create(null), { a: policy })])).not.toThrow()
  })

  it('are what they were when the gate was made', () => {
    const deny = ['exec']
    const policies: Record<string, object> = { '*': { tools: { deny } } }
    const gate = createGate([policies])
    deny.pop()
    delete policies['*']
    const rules = gate.at(Namespace.of('a'))
    expect(!(rules instanceof Promise) && rules.decide({ type: 'tool', name: 'exec' }).allowed).toBe(false)
  })
})

function problemOf(policies: unknown): string {
  try {
    createGate([policies as Policies])
  } catch (error) {
    if (isOrraError(error, 'policy.invalid')) return error.message
    throw error
  }
  throw new Error('It was taken.')
}

function circle(): object {
  const tools: Record<string, unknown> = {}
  tools['deny'] = tools
  return { tools }
}
