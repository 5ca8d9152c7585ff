import {
  canSearch,
  type JsonValue,
  Namespace,
  type RecordKey,
  type SearchableRecords,
  type SearchOptions,
} from '@orra/core'
import { expect } from 'vitest'
import { bob } from './entries.ts'
import { borderKeys, hostileNames } from './hostile.ts'
import { numbers } from './pages.ts'
import type { Scenario, Tested } from './scenario.ts'

function searchable({ records, skip }: Tested): SearchableRecords {
  return canSearch(records) ? records : skip('The records of this store cannot be searched.')
}

const memory = (id: string, namespace = bob): RecordKey => ({ collection: 'memory', namespace, id })

async function fill(records: SearchableRecords, values: { readonly [id: string]: JsonValue }): Promise<void> {
  for (const [id, value] of Object.entries(values)) await records.put(memory(id), value)
}

async function found(records: SearchableRecords, text: string, options?: SearchOptions): Promise<readonly string[]> {
  return (await records.search(text, options)).map(({ id }) => id)
}

/** Records found by their words. */
export function searchScenarios(scenario: Scenario): void {
  scenario('finds any of the words in any of the strings', async (tested) => {
    const records = searchable(tested)
    await fill(records, { fox: 'The quick fox', dog: { deep: [{ er: 'a lazy dog' }], n: 7 }, none: [1, null, true] })
    expect(await found(records, 'fox')).toEqual(['fox'])
    expect(await found(records, 'a dog of 7 that nobody knows')).toEqual(['dog'])
    expect((await found(records, 'dog, fox')).toSorted()).toEqual(['dog', 'fox'])
    expect(await found(records, 'deep er true 7')).toEqual([])
    expect(await records.search('fox')).toEqual([await records.get(memory('fox'))])
  })

  scenario('finds whole words, whatever their case and accents', async (tested) => {
    const records = searchable(tested)
    await fill(records, {
      zurich: 'Zürich',
      foxes: 'foxes',
      dont: "don't stop at 3.14 or snake_case",
      tokyo: '私は東京に住んでいます',
      greek: 'Ο ΚΌΣΜΟΣ',
    })
    for (const text of ['zurich', 'ZÜRICH', 'zu\u0308rich']) expect(await found(records, text)).toEqual(['zurich'])
    for (const text of ["don't", '3.14', 'SNAKE_CASE']) expect(await found(records, text)).toEqual(['dont'])
    for (const part of ['fox', 'oxes', 'don', 't', '3', '14', 'snake', 'case', 'fox*', 'zur']) {
      expect(await found(records, part)).toEqual([])
    }
    expect(await found(records, '東京')).toEqual(['tokyo'])
    expect(await found(records, '京')).toEqual([])
    expect(await found(records, 'κοσμος')).toEqual(['greek'])
  })

  scenario('puts a record with two of the words before one with one of them', async (tested) => {
    const records = searchable(tested)
    await fill(records, { red: 'red sky above', both: 'red blue sky', blue: 'blue sky above', none: 'green sky above' })
    expect((await found(records, 'blue red'))[0]).toBe('both')
    expect((await found(records, 'blue red')).toSorted()).toEqual(['blue', 'both', 'red'])
    expect(await found(records, 'blue red', { limit: 1 })).toEqual(['both'])
  })

  scenario('returns ten records unless another number is asked for', async (tested) => {
    const records = searchable(tested)
    for (const index of numbers(12)) await records.put(memory(`${index}`), 'a word')
    expect(await found(records, 'word')).toHaveLength(10)
    expect(await found(records, 'word', { limit: 100 })).toHaveLength(12)
  })

  scenario('looks no further than its scope', async (tested) => {
    const records = searchable(tested)
    for (const key of borderKeys) await records.put(memory(key, Namespace.parse(key)), 'word')
    await records.put({ ...memory('note', Namespace.of('a')), collection: 'note' }, 'word')
    const within = Namespace.parse('a:b')
    const ids = async (options: SearchOptions) => (await found(records, 'word', options)).toSorted()
    expect(await ids({})).toEqual([...borderKeys, 'note'].toSorted())
    expect(await ids({ within })).toEqual(['a:b', 'a:b:c'])
    expect(await ids({ namespace: within })).toEqual(['a:b'])
    expect(await ids({ namespace: Namespace.of('a') })).toEqual(['a', 'note'])
    expect(await ids({ within: Namespace.of('a'), collection: 'memory' })).toEqual(['a', 'a:b', 'a:b:c', 'a:bc'])
    expect(await ids({ collection: 'note' })).toEqual(['note'])
    expect(await ids({ namespace: Namespace.of('ab'), within })).toEqual([])
  })

  scenario('knows of every change, deletion and erasure', async (tested) => {
    const records = searchable(tested)
    await records.put(memory('a'), 'old words')
    await records.put(memory('a'), 'new words')
    expect(await found(records, 'old')).toEqual([])
    expect(await found(records, 'new words')).toEqual(['a'])
    await records.delete(memory('a'))
    expect(await found(records, 'new')).toEqual([])
    await records.put(memory('a'), 'third')
    expect(await found(records, 'new third')).toEqual(['a'])
    await records.erase(bob)
    expect(await found(records, 'third')).toEqual([])
  })

  scenario('finds nothing for a text without words', async (tested) => {
    const records = searchable(tested)
    await records.put(memory('a'), 'word ! * " 😀')
    for (const text of ['', ' ', '!', '"', '*', '😀', '\0', '""""', '()'])
      expect(await found(records, text)).toEqual([])
  })

  scenario('takes any text for words', async (tested) => {
    const records = searchable(tested)
    await records.put(memory('a'), 'word')
    const many = numbers(2000).map((index) => `w${index}`)
    const texts = [...hostileNames, 'NOT AND OR NEAR(', '"', "'", 'memory:', '^', '{', '\\', many.join(' '), 'a\0b']
    for (const text of texts) expect(await found(records, `${text} word`)).toEqual(['a'])
    await records.put(memory('b'), [...texts, 'x'.repeat(5000)])
    expect(await found(records, 'w1999')).toEqual(['b'])
    expect(await found(records, 'NEAR')).toEqual(['b'])
  })
}
