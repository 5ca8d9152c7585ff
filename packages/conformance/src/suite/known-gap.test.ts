import { memoryStore } from '@orra/core'
import { describe, expect, it } from 'vitest'
import type { Tested } from '../store-suite/scenario.ts'
import { failing, gapsOfNothing } from './known-gap.ts'

const store = memoryStore()
const tested: Tested = {
  ...store,
  store,
  advance: () => {},
  skip: (reason) => {
    throw new Error(`Skipped: ${reason}`)
  },
}

describe('a known gap', () => {
  it('passes while its scenario fails', async () => {
    await failing('a: b', async () => expect(1).toBe(2))(tested)
  })

  it('fails once its scenario passes', async () => {
    const closed = failing<Tested>('a: b', async ({ sessions }) => expect((await sessions.list()).items).toEqual([]))(
      tested,
    )
    await expect(closed).rejects.toThrow('"a: b" passes: it is no gap any more.')
  })

  it('is skipped where its scenario is', async () => {
    const skipped = failing('a: b', async ({ skip }) => skip('no such ability'))(tested)
    await expect(skipped).rejects.toThrow('Skipped: no such ability')
  })

  it('names a scenario', () => {
    expect(gapsOfNothing({ 'a: b': 'Later.', 'a: c': 'Never.' }, ['a: b', 'a: d'])).toEqual(['a: c'])
  })
})
