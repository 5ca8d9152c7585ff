import { afterEach, describe, expect, it, vi } from 'vitest'
import { OrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { createGate } from './gate.ts'
import type { Policies } from './policy.ts'
import { type PolicySource, policySource } from './policy-source.ts'

const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const exec = { type: 'tool', name: 'exec' } as const
const SECRET = 'postgres://root:hunter2@db'

afterEach(() => {
  vi.useRealTimers()
})

describe('a source of policies that fails', () => {
  const given = (value: unknown): PolicySource => ({ policiesFor: () => value as Policies })
  const thrown = (error: unknown): PolicySource => ({
    policiesFor: () => {
      throw error
    },
  })
  const failures: [string, PolicySource][] = [
    ['throws', thrown(new Error(SECRET))],
    ['rejects', { policiesFor: () => Promise.reject(new Error(SECRET)) }],
    ['throws nothing', thrown(undefined)],
    ['throws in orra’s words', thrown(new OrraError('runtime.closed', SECRET, { details: {} }))],
    ['gives nothing', given(undefined)],
    ['comes to nothing', given(Promise.resolve(null))],
    ['gives text', given(SECRET)],
    ['gives a map', given(new Map())],
    ['gives a typo', given({ [SECRET]: { tool: {} } })],
    ['comes to a typo', given(Promise.resolve({ '*': { limits: { [SECRET]: 1 } } }))],
    ['loads a typo', policySource({ load: () => ({ '*': { [SECRET]: {} } }) as Policies })],
    ['loads with an error', policySource({ load: () => Promise.reject(new Error(SECRET)) })],
  ]

  it.each(failures)('denies everything when it %s', async (_, source) => {
    const gate = createGate([{ 'tenant:*': { limits: { maxTurns: 2 } } }, given({}), source])
    const rules = await gate.at(acme)
    const decisions = [exec, { type: 'model', name: 'm' } as const, { type: 'agent', name: 'task', depth: 1 } as const]
    for (const action of decisions) {
      const decision = rules.decide(action)
      expect(decision).toEqual({ allowed: false, rule: 'policy source 2', reason: rules.unreachable })
    }
    expect(rules.approvalOf('exec')).toEqual({ level: 'always', rule: 'policy source 2' })
    expect(rules.limit('maxTurns')?.value).toBe(2)
    expect(rules.unreachable).toMatch(/^The policy source 2 (cannot be reached|gave policies that cannot be used), so /)
    expect(rules.unreachable).not.toContain('hunter2')
    expect(rules).toHaveProperty('cause')
  })

  it('denies everything for as long as it does, and no longer', async () => {
    let works = true
    const gate = createGate([
      {
        policiesFor: async () => {
          if (!works) throw new Error(SECRET)
          return {}
        },
      },
    ])
    const allowed = async () => (await gate.at(bob)).decide(exec).allowed
    expect(await allowed()).toBe(true)
    works = false
    expect(await allowed()).toBe(false)
    works = true
    expect(await allowed()).toBe(true)
  })

  it('denies everything when it does not answer within a minute', async () => {
    vi.useFakeTimers()
    let asked: AbortSignal | undefined
    const rules = createGate([
      {
        policiesFor: (_, signal) => {
          asked = signal
          return new Promise(() => {})
        },
      },
    ]).at(bob)
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await rules).decide(exec).allowed).toBe(false)
    expect((await rules).cause).toMatchObject({ code: 'policy.unreachable', details: { namespace: bob.key } })
    expect(asked?.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is left with the reason of the signal that aborts, and nothing stays behind', async () => {
    vi.useFakeTimers()
    const controller = new AbortController()
    const listening = listeners(controller.signal)
    const gate = createGate([{ policiesFor: () => new Promise(() => {}) }, policySource({ load: () => ({}) })])
    const rules = gate.at(bob, controller.signal)
    controller.abort(new Error('gone home'))
    await expect(rules).rejects.toThrow('gone home')
    await expect(gate.at(bob, controller.signal)).rejects.toThrow('gone home')
    await vi.advanceTimersByTimeAsync(0)
    expect([vi.getTimerCount(), listening()]).toEqual([0, 0])
  })
})

/** How many listeners a signal has. */
function listeners(target: AbortSignal): () => number {
  const added = vi.spyOn(target, 'addEventListener')
  const removed = vi.spyOn(target, 'removeEventListener')
  return () => added.mock.calls.length - removed.mock.calls.length
}
