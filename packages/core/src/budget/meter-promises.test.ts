import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { HeldLimit, LimitName } from '../gate/limits.ts'
import type { Rules } from '../gate/rules.ts'
import { Namespace } from '../namespace.ts'
import type { Usage } from '../provider.ts'
import type { Counters } from '../store/counters.ts'
import { memoryStore } from '../store/memory-store.ts'
import { concurrencyClaims } from './held-claims.ts'
import { createMeter, type Meter } from './meter.ts'
import { openPlaces, type Places } from './places.ts'
import type { Prices } from './prices.ts'

const LIMITS = {
  runsPerMinute: 3,
  runsPerDay: 6,
  tokensPerMinute: 4_000,
  tokensPerHour: 9_000,
  usdPerHour: 0.02,
  usdPerDay: 0.05,
  concurrentRuns: 3,
} as const satisfies Partial<Record<LimitName, number>>
const NAMES = Object.keys(LIMITS) as readonly (keyof typeof LIMITS)[]

const roots = ['a', 'b'].map((tenant) => Namespace.of('tenant', tenant))
const leaves = roots.flatMap((root) => ['x', 'y'].map((user) => root.child('user', user)))
const places = [...roots, ...leaves]
const signal = new AbortController().signal

/** Dearer from 1,000 tokens on, and for what is written to a cache. */
const prices: Prices = ({ usage: { inputTokens, outputTokens, cacheWriteTokens } }) =>
  (2 * inputTokens + cacheWriteTokens + 7 * outputTokens + (inputTokens > 1000 ? 900 : 0)) / 1_000_000

const limit = fc.record({
  name: fc.constantFrom(...NAMES),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  place: fc.nat(places.length - 1),
})
const fate = fc.constantFrom('used', 'used', 'unknown', 'kept' as const)
const who = { process: fc.nat(2), leaf: fc.nat(leaves.length - 1) }
const part = fc.double({ min: 0, max: 1, noNaN: true })
const spending = fc.oneof(
  fc.record({ ...who, type: fc.constant('model' as const), input: fc.nat(3000), output: fc.nat(3000), part, fate }),
  fc.record({ ...who, type: fc.constant('tool' as const), usd: fc.integer({ min: 1, max: 20_000 }), fate }),
  fc.record({ ...who, type: fc.constant('admit' as const), counts: fc.boolean() }),
  fc.record({ ...who, type: fc.constant('enter' as const), fate }),
)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('spend' as const), all: fc.array(spending, { maxLength: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('settle' as const), order: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 1500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const), process: fc.nat(2) }) },
)

type Spending = typeof spending extends fc.Arbitrary<infer S> ? S : never
interface Process {
  readonly meter: Meter
  readonly places: Places
  /** What is still to be settled. */
  readonly open: Set<() => PromiseLike<void>>
  isDead: boolean
}

function startProcess(counters: Counters): Process {
  const own: Counters = {
    ...counters,
    extend: async (...args) => !process.isDead && (await counters.extend(...args)),
  }
  const process: Process = {
    isDead: false,
    open: new Set(),
    meter: createMeter(own, { prices }),
    places: openPlaces(own),
  }
  return process
}

function rulesFor(leaf: Namespace, limits: readonly HeldLimit[]): Rules {
  const holding = limits.filter(({ namespace }) => namespace.contains(leaf))
  return {
    decide: () => ({ allowed: true }),
    approvalOf: () => undefined,
    limits: holding,
    limit: (name) => holding.find((limit) => limit.name === name),
  }
}

/** Reserves, and gives what settles it; `undefined` where it was refused. */
async function reserve({ meter, places }: Process, wanted: Spending, limits: readonly HeldLimit[]) {
  const leaf = leaves[wanted.leaf] as Namespace
  const rules = rulesFor(leaf, limits)
  switch (wanted.type) {
    case 'admit': {
      const admission = await meter.admit(rules, signal).catch(() => undefined)
      return admission && (() => admission.settle(wanted.counts))
    }
    case 'enter': {
      const held = concurrencyClaims(rules)
      if (held.length === 0) return () => Promise.resolve()
      const taken = await places.take(held, false, signal)
      return 'place' in taken ? () => taken.place[Symbol.asyncDispose]() : undefined
    }
    case 'tool': {
      const reserved = await meter.reserveToolCall(rules, wanted.usd / 1_000_000, signal)
      return reserved.granted ? () => reserved.settle(true) : undefined
    }
    case 'model': {
      const { input, output, part, fate } = wanted
      const call = { provider: 'scripted', model: 'm', inputTokens: input, maxOutputTokens: output }
      const reserved = await meter.reserveModelCall(rules, call, signal)
      if (!reserved.granted) return undefined
      const { maxOutputTokens = output } = reserved
      expect(maxOutputTokens).toBeLessThanOrEqual(output)
      expect(maxOutputTokens).toBeGreaterThanOrEqual(Math.min(output, 256))
      const inputTokens = Math.floor(input * part)
      const used: Usage = {
        inputTokens,
        outputTokens: Math.floor(maxOutputTokens * part),
        cacheReadTokens: 0,
        cacheWriteTokens: inputTokens,
      }
      return () => reserved.settle(fate === 'unknown' ? undefined : used)
    }
  }
}

async function expectWithin(counters: Counters, limits: readonly HeldLimit[]) {
  const { items } = await counters.list({ limit: 1000 })
  for (const { name, value, namespace } of limits) {
    const [counter, unit = ''] = name === 'concurrentRuns' ? ['concurrent-runs'] : name.split('Per')
    const length = { '': 3, Minute: 16, Hour: 13, Day: 10 }[unit]
    const most = counter === 'usd' ? Math.round(value * 1_000_000) : value
    for (const { used, reserved, ...found } of items) {
      if (found.namespace !== namespace.key || found.counter !== counter || found.window.length !== length) continue
      expect(used + reserved).toBeLessThanOrEqual(most)
    }
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 23, 50) })
})
afterEach(() => {
  vi.useRealTimers()
})

it('no limit is ever passed, whoever spends at once and whoever dies, and nothing stays reserved', async () => {
  const counts = { granted: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(limit, { maxLength: 5 }), fc.array(step, { maxLength: 12 }), async (given, steps) => {
      const { counters } = memoryStore()
      const limits = given.map(({ name, part, place }): HeldLimit => {
        const most = LIMITS[name]
        const value = name.startsWith('usd') ? Math.floor(most * part * 1e6) / 1e6 : Math.ceil(most * part)
        return { name, value, namespace: places[place] as Namespace, rule: 'a policy' }
      })
      const processes = [0, 1, 2].map(() => startProcess(counters))
      const settleAll = async (wanted: (place: number) => boolean) => {
        const open = processes.flatMap((process) => [...process.open].map((settle) => ({ process, settle })))
        await Promise.all(
          open.map(async ({ process, settle }, place) => {
            if (!wanted(place)) return
            process.open.delete(settle)
            await settle()
          }),
        )
      }

      for (const step of steps) {
        if (step.type === 'spend') {
          const work = step.all.map(async (wanted) => {
            const process = processes[wanted.process] as Process
            const settle = await reserve(process, wanted, limits)
            counts[settle ? 'granted' : 'refused'] += 1
            if (!settle) return
            process.open.add(settle)
            if (!('fate' in wanted) || wanted.fate === 'kept') return
            process.open.delete(settle)
            await settle()
          })
          await Promise.all(work)
        }
        if (step.type === 'settle') await settleAll((place) => place % 3 === step.order % 3)
        if (step.type === 'pass') await vi.advanceTimersByTimeAsync(step.seconds * 1000)
        if (step.type === 'crash') {
          ;(processes[step.process] as Process).isDead = true
          processes[step.process] = startProcess(counters)
        }
        await expectWithin(counters, limits)
      }

      await settleAll(() => true)
      await vi.advanceTimersByTimeAsync(15 * 60_000)
      const { items } = await counters.list({ limit: 1000 })
      expect(items.every(({ reserved }) => reserved === 0)).toBe(true)
      await expectWithin(counters, limits)
      expect(vi.getTimerCount()).toBe(0)
    }),
    { numRuns: 2000 },
  )
  // Both happen often, or this would say nothing.
  expect(counts.granted).toBeGreaterThan(1000)
  expect(counts.refused).toBeGreaterThan(1000)
}, 120_000)
