import { memoryStore, Namespace } from '@orra/core'
import { expect, it } from 'vitest'
import type { Witnessed } from './journal.ts'
import { lostSince } from './lost-since.ts'
import { snapshotOf } from './snapshot.ts'
import { steppedStore } from './stepped-store.ts'
import { countSteps } from './steps.ts'

const bob = Namespace.of('user', 'bob')

/** A store that was written to, what was witnessed of that, and one that holds nothing. */
async function written() {
  const witnessed: Witnessed[] = []
  const memory = memoryStore()
  const store = steppedStore(memory, countSteps(undefined), { write: (seen) => witnessed.push(seen) })
  await store.sessions.append(bob, [{ type: 'metadata', set: { title: 'T' } }])
  await store.records.put({ collection: 'notes', namespace: bob, id: 'one' }, 'text')
  const claim = { namespace: bob, counter: 'cents', window: 'all', amount: 5 }
  const reservation = await store.counters.reserve([claim], { ttlMs: 1000 })
  if (reservation.granted) await store.counters.settle(reservation.id, [3])
  return { store, witnessed, held: await snapshotOf(memory), empty: await snapshotOf(memoryStore()) }
}

it('nothing is lost of what is there', async () => {
  const { witnessed, held } = await written()
  expect(lostSince(witnessed, held)).toEqual([])
})

it('entries, records and amounts that are gone are lost', async () => {
  const { witnessed, empty } = await written()
  expect(lostSince(witnessed, empty).map(({ kind, problem }) => `${kind} ${problem.split(' ')[0]}`)).toEqual([
    'lost entries',
    'lost the',
    'lost the',
  ])
})

it('what was deleted is not lost', async () => {
  const { store, witnessed, empty } = await written()
  await store.sessions.delete(bob)
  await store.records.delete({ collection: 'notes', namespace: bob, id: 'one' })
  await store.counters.erase(Namespace.of('user'))
  expect(lostSince(witnessed, empty)).toEqual([])
})
