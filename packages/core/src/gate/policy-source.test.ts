import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Namespace } from '../namespace.ts'
import { createGate } from './gate.ts'
import type { Policies } from './policy.ts'
import { type PolicySourceOptions, policySource } from './policy-source.ts'

const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const other = Namespace.of('tenant', 'other')
const signal = new AbortController().signal
const exec = { type: 'tool', name: 'exec' } as const

afterEach(() => {
  vi.useRealTimers()
})

describe('policySource', () => {
  it('loads once for all who ask, and again when what it has is too old', async () => {
    const { source, loads, clock } = counted({ cacheMs: 1000 })
    const both = [source.policiesFor(bob, signal), source.policiesFor(bob, signal)]
    expect(await both[0]).toBe(await both[1])
    clock.now += 999
    expect(source.policiesFor(bob, signal)).toBe(await both[0])
    expect(loads).toEqual([bob.key])
    clock.now += 1
    await source.policiesFor(bob, signal)
    clock.now -= 5000
    await source.policiesFor(bob, signal)
    expect(loads).toHaveLength(3)
  })

  it('lets the gate answer at once while it has what it loaded', async () => {
    const { source } = counted({})
    const gate = createGate([{}, source])
    const rules = await gate.at(bob)
    expect(gate.at(bob)).toBe(rules)
    source.invalidate()
    expect(gate.at(bob)).toBeInstanceOf(Promise)
  })

  it('has the gate decide anew by what was loaded anew', async () => {
    let policies: Policies = {}
    const source = policySource({ load: () => policies })
    const gate = createGate([source])
    const allowed = async () => (await gate.at(bob)).decide(exec).allowed
    expect(await allowed()).toBe(true)
    policies = { '*': { tools: { deny: ['exec'] } } }
    expect(await allowed()).toBe(true)
    source.invalidate(acme)
    expect(await allowed()).toBe(false)
  })

  it('begins no load for one who has gone away', async () => {
    const { source, loads } = counted({})
    await expect(source.policiesFor(bob, AbortSignal.abort(new Error('gone home')))).rejects.toThrow('gone home')
    expect(loads).toEqual([])
  })

  it('keeps only what holds, and as it was when it was loaded', async () => {
    const policies = { 'tenant:acme': { tools: { deny: ['exec'] } }, 'tenant:other': {} }
    const gate = createGate([policySource({ load: () => policies })])
    await gate.at(bob)
    policies['tenant:acme'].tools.deny.pop()
    expect((await gate.at(bob)).decide(exec).allowed).toBe(false)
    const source = policySource({ load: () => policies })
    expect(Object.keys(await source.policiesFor(bob, signal))).toEqual(['tenant:acme'])
  })

  it('forgets a subtree, or everything', async () => {
    const { source, loads } = counted({})
    const askAll = async () => {
      loads.length = 0
      for (const namespace of [acme, bob, other]) await source.policiesFor(namespace, signal)
      return loads
    }
    expect(await askAll()).toHaveLength(3)
    expect(await askAll()).toEqual([])
    source.invalidate(acme)
    expect(await askAll()).toEqual([acme.key, bob.key])
    source.invalidate(bob)
    expect(await askAll()).toEqual([bob.key])
    source.invalidate(Namespace.of('tenant', 'oth'))
    expect(await askAll()).toEqual([])
    source.invalidate()
    expect(await askAll()).toHaveLength(3)
  })

  it('keeps nothing that began to load before it was to forget', async () => {
    const gates = [Promise.withResolvers<Policies>(), Promise.withResolvers<Policies>()]
    let loads = 0
    const source = policySource({ load: () => gates[loads++]?.promise ?? {} })
    const before = source.policiesFor(bob, signal)
    source.invalidate(acme)
    const after = source.policiesFor(bob, signal)
    gates[1]?.resolve({ '*': { tools: { deny: ['exec'] } } })
    expect(await after).toHaveProperty('*')
    gates[0]?.resolve({})
    expect(await before).toEqual({})
    expect(source.policiesFor(bob, signal)).toBe(await after)
    expect(loads).toBe(2)
  })

  it('keeps nothing when the load itself has it forget', async () => {
    const { source, loads } = counted({})
    const forgetful = policySource({
      load: (namespace, signal) => {
        if (loads.length === 0) forgetful.invalidate()
        return source.policiesFor(namespace, signal)
      },
    })
    const first = await forgetful.policiesFor(bob, signal)
    expect(forgetful.policiesFor(bob, signal)).not.toBe(first)
    expect(await forgetful.policiesFor(bob, signal)).toEqual({})
  })

  it('leaves a load to the others when one who waits goes away', async () => {
    const { promise, resolve } = Promise.withResolvers<Policies>()
    let seen: AbortSignal | undefined
    const source = policySource({
      load: (_, signal) => {
        seen = signal
        return promise
      },
    })
    const controller = new AbortController()
    const [gone, stays] = [source.policiesFor(bob, controller.signal), source.policiesFor(bob, signal)]
    controller.abort(new Error('gone home'))
    await expect(gone).rejects.toThrow('gone home')
    expect(seen?.aborted).toBe(false)
    resolve({})
    expect(await stays).toEqual({})
  })

  it('gives a load up at its time, tells it so, and tries again', async () => {
    vi.useFakeTimers()
    const seen: AbortSignal[] = []
    const source = policySource({
      timeoutMs: 50,
      load: (_, signal) => (seen.push(signal) === 1 ? new Promise(() => {}) : {}),
    })
    const gate = createGate([source])
    const rules = gate.at(bob)
    await vi.advanceTimersByTimeAsync(50)
    expect((await rules).cause).toMatchObject({ code: 'policy.unreachable', retryable: true })
    expect(seen[0]?.aborted).toBe(true)
    expect((await gate.at(bob)).decide(exec).allowed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps no more than it may, and forgets what was not asked for the longest', async () => {
    const { source, loads } = counted({ maxKept: 2 })
    for (const namespace of [acme, bob, acme, other]) await source.policiesFor(namespace, signal)
    loads.length = 0
    for (const namespace of [acme, other]) await source.policiesFor(namespace, signal)
    expect(loads).toEqual([])
    await source.policiesFor(bob, signal)
    expect(loads).toEqual([bob.key])
  })

  it('never gives what is older than it may be, nor what was before it was to forget', async () => {
    const step = fc.record({
      act: fc.constantFrom('ask', 'ask', 'ask', 'change', 'wait'),
      place: fc.constantFrom(acme, bob, other),
      ms: fc.nat(60),
    })
    const honest = fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, maxKept) => {
        const clock = { now: 0 }
        const changedAt = new Map<Namespace, number>()
        const source = policySource({
          load: () => ({ '*': { limits: { tokensPerDay: clock.now } } }),
          now: () => clock.now,
          cacheMs: 100,
          maxKept,
        })
        for (const { act, place, ms } of steps) {
          clock.now += act === 'wait' ? ms : 1
          if (act === 'change') {
            source.invalidate(place)
            for (const one of [acme, bob, other]) if (place.contains(one)) changedAt.set(one, clock.now)
          }
          if (act !== 'ask') continue
          const loadedAt = (await source.policiesFor(place, signal))['*']?.limits?.tokensPerDay ?? -1
          expect(clock.now - loadedAt).toBeLessThan(100)
          expect(loadedAt).toBeGreaterThanOrEqual(changedAt.get(place) ?? 0)
        }
      },
    )
    await fc.assert(honest, { numRuns: 2000 })
  })

  it.each([
    ['load', {}],
    ['load', { load: 'policies' }],
    ['cacheMs', { load: () => ({}), cacheMs: -1 }],
    ['cacheMs', { load: () => ({}), cacheMs: Number.NaN }],
    ['timeoutMs', { load: () => ({}), timeoutMs: 0 }],
    ['timeoutMs', { load: () => ({}), timeoutMs: 60_001 }],
    ['maxKept', { load: () => ({}), maxKept: 0 }],
    ['now', { load: () => ({}), now: 5 }],
    ['ttlMs', { load: () => ({}), ttlMs: 5 }],
    ['options', null],
  ])('refuses the option %s of %o', (option, options) => {
    const details = expect.objectContaining({ option })
    const refusal = expect.objectContaining({ code: 'options.invalid', details })
    expect(() => policySource(options as unknown as PolicySourceOptions)).toThrow(refusal)
  })
})

function counted(options: Partial<PolicySourceOptions>) {
  const clock = { now: 0 }
  const loads: string[] = []
  const load = async ({ key }: Namespace): Promise<Policies> => {
    loads.push(key)
    return {}
  }
  return { source: policySource({ load, now: () => clock.now, ...options }), loads, clock }
}
