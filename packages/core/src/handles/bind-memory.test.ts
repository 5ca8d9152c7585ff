import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { memoryRecords } from '../store/memory-records.ts'
import type { Records } from '../store/records.ts'
import { bindMemory } from './bind-memory.ts'
import { bindRecords } from './bind-records.ts'

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const OTHERS = [bob.parent, bob.child('agent'), Namespace.of('tenant', 'acme', 'user', 'bobby')] as Namespace[]
const open = new AbortController().signal

/** Records without their ability to be searched. */
const plain = ({ get, put, delete: remove, list, erase }: Records): Records => ({
  get,
  put,
  delete: remove,
  list,
  erase,
})

describe.each([
  ['that can search', (records: Records) => records],
  ['that cannot search', plain],
])('memory in a store %s', (_, offered) => {
  const memoryOf = (namespace: Namespace, records: Records, signal = open) =>
    bindMemory(offered(records), namespace, signal)

  it('recalls what shares words with a question, the best first', async () => {
    const memory = memoryOf(
      bob,
      memoryRecords(() => 7),
    )
    await memory.remember('Bob likes green tea', { id: 'tea', about: { source: 'chat' } })
    await memory.remember('Bob likes coffee', { id: 'coffee' })
    await memory.remember('The weather is fine', { id: 'weather' })
    expect(await memory.recall('green tea for bob')).toEqual([
      { id: 'tea', text: 'Bob likes green tea', about: { source: 'chat' }, updatedAt: 7 },
      { id: 'coffee', text: 'Bob likes coffee', updatedAt: 7 },
    ])
    expect(await memory.recall('green tea for bob', { limit: 1 })).toHaveLength(1)
    expect(await memory.recall('nothing of this')).toEqual([])
    expect(await memory.recall('…')).toEqual([])
  })

  it('gives each memory an id of its own, or replaces the one it is given', async () => {
    const memory = memoryOf(
      bob,
      memoryRecords(() => 0),
    )
    const [one, other] = [await memory.remember('tea'), await memory.remember('tea')]
    expect(one).not.toBe(other)
    expect(await memory.remember('coffee', { id: one })).toBe(one)
    expect((await memory.recall('tea coffee')).map(({ text }) => text).toSorted()).toEqual(['coffee', 'tea'])
    expect([await memory.forget(one), await memory.forget(one)]).toEqual([true, false])
    expect((await memory.recall('tea coffee')).map(({ id }) => id)).toEqual([other])
  })

  it('recalls from more than a page', async () => {
    const records = memoryRecords(() => 0)
    const memory = memoryOf(bob, records)
    for (let index = 0; index < 1001; index += 1) await memory.remember(`number ${index}`)
    expect((await memory.recall('1000')).map(({ text }) => text)).toEqual(['number 1000'])
    expect(await memory.recall('number', { limit: 600 })).toHaveLength(600)
  })

  it('passes over records that are no memories', async () => {
    const records = memoryRecords(() => 0)
    const bound = bindRecords(records, bob, open)
    await bound.put('memory', 'a', 'tea')
    await bound.put('memory', 'b', { text: ['tea'] })
    await bound.put('memory', 'c', { text: 'tea', about: 'tea' })
    expect(await memoryOf(bob, records).recall('tea')).toEqual([{ id: 'c', text: 'tea', updatedAt: 0 }])
  })

  it('is that of one namespace, whatever is asked of it', async () => {
    const id = fc.oneof(
      fc.constantFrom('shared', '__proto__', '..', 'agent', 'tenant:acme', 'a\0b', ''),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom<unknown>(null, 7, { toString: () => 'shared' }, ['shared']),
    )
    const operation = fc.record({ call: fc.constantFrom('remember', 'recall', 'forget'), id, query: fc.string() })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 10 }), async (operations) => {
        const records = memoryRecords(() => 0)
        for (const namespace of OTHERS) {
          await memoryOf(namespace, records).remember('theirs tea', { id: 'shared' })
          await memoryOf(namespace, records).remember('theirs tea', { id: '__proto__' })
        }
        const memory = memoryOf(bob, records)
        for (const { call, id, query } of operations) {
          try {
            if (call === 'remember') await memory.remember('mine tea', { id: id as string })
            else if (call === 'forget') await memory.forget(id as string)
            else await memory.recall(query)
          } catch (error) {
            expect(isOrraError(error, 'store.invalid'), String(error)).toBe(true)
          }
        }
        for (const { text } of await memory.recall('tea theirs', { limit: 100 })) expect(text).toBe('mine tea')
        for (const namespace of OTHERS) {
          const theirs = await memoryOf(namespace, records).recall('tea')
          expect(theirs.map(({ id, text }) => [id, text]).toSorted()).toEqual([
            ['__proto__', 'theirs tea'],
            ['shared', 'theirs tea'],
          ])
        }
      }),
    )
  })

  it.each([
    ['an empty text', 'store.invalid', (memory) => memory.remember(' ')],
    ['what is no text', 'store.invalid', (memory) => memory.remember({} as string)],
    ['a list of what is said', 'store.invalid', (memory) => memory.remember('a', { about: [] as never })],
    ['an option that is none', 'options.invalid', (memory) => memory.remember('a', { namespace: bob } as never)],
    ['a question that is no text', 'store.invalid', (memory) => memory.recall(['tea'] as never)],
    ['a limit of nothing', 'store.invalid', (memory) => memory.recall('tea', { limit: 0 })],
    ['an id that is none', 'store.invalid', (memory) => memory.forget('')],
  ] as readonly [string, 'store.invalid', (memory: ReturnType<typeof memoryOf>) => Promise<unknown>][])(
    'refuses %s',
    async (_, code, work) => {
      const error = await work(
        memoryOf(
          bob,
          memoryRecords(() => 0),
        ),
      ).catch((reason: unknown) => reason)
      expect(isOrraError(error, code), String(error)).toBe(true)
    },
  )

  it('does nothing once the call is over', async () => {
    const records = memoryRecords(() => 0)
    const call = new AbortController()
    const memory = memoryOf(bob, records, call.signal)
    await memory.remember('tea', { id: 'a' })
    call.abort(new Error('over'))
    for (const work of [() => memory.remember('x'), () => memory.recall('tea'), () => memory.forget('a')]) {
      await expect(work()).rejects.toThrow('over')
    }
    expect((await records.list()).items).toHaveLength(1)
  })
})
