import { memoryStore, type SessionLog, type Store } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fault } from './faulty.ts'
import { type Happening, LEASE_TTL_MS, UnreliableWorld } from './unreliable-world.ts'
import { virtualTime } from './virtual-time.ts'

// Whatever befalls whichever call of a store, and whoever says what meanwhile: once it is over, everything that was
// accepted is answered once, in its order, and no effect was had twice.

const ms = fc.constantFrom(1, 60, LEASE_TTL_MS / 2, LEASE_TTL_MS * 2.5)
const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constant({ type: 'refused' as const }) },
  { weight: 3, arbitrary: fc.constant({ type: 'unknown' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('late' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('slow' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('answered-slowly' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('twice' as const), ms }) },
)
const process = fc.nat({ max: 1 })
const afterMs = fc.constantFrom(0, 0, 20, 300, LEASE_TTL_MS)
const type = fc.constantFrom('submit' as const, 'run' as const)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type, process, message: fc.nat({ max: 7 }), afterMs }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('freeze' as const), process, ms, afterMs }) },
)
const faults = fc.array(fault, { maxLength: 120, size: 'max' })
const happenings = fc.array(happening, { minLength: 1, maxLength: 12, size: 'max' })

/** Whatever is wrong in the end, of whatever was to happen. */
function nothingIsWrong(open: () => Store) {
  return fc.asyncProperty(faults, happenings, async (made, happened) => {
    using _ = virtualTime()
    await using store = open()
    const world = new UnreliableWorld(store, made)
    await world.play(happened)
    expect(world.wrong).toEqual([])
  })
}

describe.each([
  ['memory', () => memoryStore(), 150],
  ['sqlite', () => sqliteStore(':memory:'), 60],
] as const)('faults of the %s store', (_, open, numRuns) => {
  it('lose nothing, double nothing and bring nothing out of order', async () => {
    await fc.assert(nothingIsWrong(open), { numRuns })
  }, 60_000)
})

describe('faults are found', () => {
  const withSessions = (change: (sessions: SessionLog) => Partial<SessionLog>): Store => {
    const store = memoryStore()
    return { ...store, sessions: { ...store.sessions, ...change(store.sessions) } }
  }

  it.each<[string, () => Store]>([
    [
      'in a store without a fence',
      () =>
        withSessions(({ append, head }) => ({
          async append(namespace, entries, options) {
            const { epoch = 0 } = (await head(namespace)) ?? {}
            return append(namespace, entries, { ...options, epoch })
          },
        })),
    ],
    [
      'in a store that gives a lease to all who ask',
      () =>
        withSessions(({ claim, head }) => ({
          async claim(namespace, options) {
            const lease = await claim(namespace, options)
            const known = await head(namespace)
            if (lease || !known) return lease
            const { epoch } = known
            return { namespace, epoch, head: known, renew: async () => true, release: async () => {} }
          },
        })),
    ],
  ])('%s', async (_, open) => {
    const { failed } = await fc.check(nothingIsWrong(open), { numRuns: 150, seed: 1, endOnFailure: true })
    expect(failed).toBe(true)
  })
})
