import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { JsonValue } from '../json.ts'
import { Namespace } from '../namespace.ts'
import { memoryRecords } from '../store/memory-records.ts'
import type { Records, StoredRecord } from '../store/records.ts'
import { bindRecords } from './bind-records.ts'

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const OTHERS = [
  Namespace.of('tenant'),
  Namespace.of('tenant', 'acme'),
  bob.child('agent'),
  Namespace.of('tenant', 'acme', 'user', 'bobby'),
  Namespace.of('tenant', 'acme', 'user', 'alice'),
  Namespace.of('tenant:acme:user:bob'),
]
const open = new AbortController().signal

const codeOf = async (work: Promise<unknown>) => {
  try {
    await work
  } catch (error) {
    return isOrraError(error) ? error.code : `not orra's: ${error}`
  }
  return 'nothing thrown'
}

/** Everything of everybody but bob. */
const ofOthers = async (records: Records): Promise<readonly StoredRecord[]> =>
  (await records.list({ limit: 10_000 })).items.filter(({ namespace }) => namespace !== bob.key)

const hostile = fc.oneof(
  fc.constantFrom(
    '..',
    '../alice',
    'tenant:acme:user:alice',
    'bob:agent',
    ':',
    '%3A',
    '%',
    '*',
    '__proto__',
    'constructor',
    'toString',
    'a\0b',
    '\0',
    `${bob.key}\0notes\0x`,
    'tenant:acme\0notes\0shared',
    'shared',
    '\uD800',
    '',
    'x'.repeat(257),
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
/** Not even of the kind that is asked for. */
const anything = fc.oneof(
  { weight: 6, arbitrary: hostile as fc.Arbitrary<unknown> },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      undefined,
      null,
      7,
      ['shared'],
      { toString: () => 'shared' },
      Object.assign(Object.create(null), { id: 'shared', namespace: OTHERS[0] }),
    ),
  },
)
const collection = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>('notes', 'memory', 'orra.outbox', 'orra.', '__proto__') },
  { weight: 1, arbitrary: anything },
)
const options = fc.option(
  fc.record(
    {
      version: fc.constantFrom<unknown>(0, 1, -1, 1.5, Number.NaN, '1', null, {}),
      after: anything,
      limit: fc.constantFrom<unknown>(1, 2, 0, -1, Number.POSITIVE_INFINITY, '2', null),
      namespace: fc.constantFrom(...OTHERS),
      within: fc.constantFrom(...OTHERS),
      collection: fc.constant('notes'),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined, freq: 2 },
)
const operation = fc.record({
  call: fc.constantFrom('get' as const, 'put' as const, 'delete' as const, 'list' as const),
  collection,
  id: anything,
  value: fc.jsonValue() as fc.Arbitrary<JsonValue>,
  options,
})

describe('records of one namespace', () => {
  it('touch nothing of anybody else’s, whatever is asked of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        const records = memoryRecords(() => 0)
        for (const namespace of OTHERS) {
          for (const place of ['notes', 'memory', 'orra.outbox']) {
            for (const id of ['shared', '__proto__', 'bob:agent']) {
              await records.put({ collection: place, namespace, id }, 'not for bob')
            }
          }
        }
        await records.put({ collection: 'orra.outbox', namespace: bob, id: 'shared' }, 'not for tools')
        const before = await ofOthers(records)
        const bound = bindRecords(records, bob, open)
        for (const { call, collection, id, value, options } of operations) {
          const [where, which, how] = [collection, id, options] as [string, string, object | undefined]
          const work = {
            get: () => bound.get(where, which),
            put: () => bound.put(where, which, value, how),
            delete: () => bound.delete(where, which, how),
            list: () => bound.list(where, how),
          }[call]
          try {
            const returned = JSON.stringify((await work()) ?? null)
            expect(returned).not.toContain('not for')
          } catch (error) {
            expect(isOrraError(error, 'store.invalid', 'store.conflict', 'options.invalid'), String(error)).toBe(true)
          }
        }
        expect(await ofOthers(records)).toEqual(before)
        const kept = await records.get({ collection: 'orra.outbox', namespace: bob, id: 'shared' })
        expect(kept?.value).toBe('not for tools')
        for (const { collection } of (await records.list({ namespace: bob, limit: 1000 })).items) {
          if (collection !== 'orra.outbox') expect(collection.startsWith('orra.')).toBe(false)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('are kept, read, listed by page and deleted', async () => {
    const records = memoryRecords(() => 5)
    const bound = bindRecords(records, bob, open)
    for (const id of ['a', 'b', 'c']) await bound.put('notes', id, { text: id })
    await bound.put('other', 'a', 1)
    expect(await bound.get('notes', 'b')).toMatchObject({ namespace: bob.key, id: 'b', value: { text: 'b' } })
    expect(await bound.get('notes', 'z')).toBeUndefined()
    const first = await bound.list('notes', { limit: 2 })
    expect(first.items.map(({ id }) => id)).toEqual(['a', 'b'])
    const { items, next } = await bound.list('notes', { after: first.next ?? '', limit: 2 })
    expect({ ids: items.map(({ id }) => id), next }).toEqual({ ids: ['c'], next: undefined })
    expect([await bound.delete('notes', 'a'), await bound.delete('notes', 'a')]).toEqual([true, false])
  })

  it('are written at the version that is asked for', async () => {
    const bound = bindRecords(
      memoryRecords(() => 0),
      bob,
      open,
    )
    const { version } = await bound.put('notes', 'a', 1, { version: 0 })
    expect(await codeOf(bound.put('notes', 'a', 2, { version: 0 }))).toBe('store.conflict')
    await bound.put('notes', 'a', 2, { version })
    expect(await codeOf(bound.delete('notes', 'a', { version }))).toBe('store.conflict')
    expect((await bound.get('notes', 'a'))?.value).toBe(2)
  })

  it('do nothing once the call is over', async () => {
    const records = memoryRecords(() => 0)
    const call = new AbortController()
    const bound = bindRecords(records, bob, call.signal)
    await bound.put('notes', 'a', 1)
    call.abort(new Error('over'))
    const works = [
      () => bound.get('notes', 'a'),
      () => bound.put('notes', 'b', 1),
      () => bound.delete('notes', 'a'),
      () => bound.list('notes'),
    ]
    for (const work of works) await expect(work()).rejects.toThrow('over')
    expect((await records.list()).items.map(({ id }) => id)).toEqual(['a'])
  })

  it('say what is wrong with an argument, and not what it is', async () => {
    const bound = bindRecords(
      memoryRecords(() => 0),
      bob,
      open,
    )
    await expect(bound.put('orra.secret', 'a', 1)).rejects.toThrow(/orra's own/)
    await expect(bound.put('orra.secret', 'a', 1)).rejects.not.toThrow(/secret/)
    await expect(bound.get('notes', 'a\0b')).rejects.toThrow(/NUL/)
  })
})
