import { memoryStore } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { playRound } from '../isolation-round.ts'
import { runIsolation } from '../isolation-run.ts'
import {
  foldedSessions,
  forgetlessTool,
  greedyErase,
  loudNotices,
  overrunningPages,
  placesOfEverybody,
  prefixSessions,
  sharedLimits,
  sharedRecords,
  unboundedSearch,
} from './leaky.ts'

describe('tenants who mean no good', () => {
  it('neither learn nor change anything of each other', { timeout: 120_000 }, async () => {
    const { calls, made, findings } = await runIsolation({ calls: 2000, seed: 1, store: 'memory' })
    expect(findings.slice(0, 5)).toEqual([])
    expect(calls).toBe(2000)
    for (const [kind, count] of made) expect(count, kind).toBeGreaterThan(0)
  })
})

describe('the same calls find', () => {
  const found = { calls: 1600, seed: 1, patienceMs: 30, untilFound: true }

  it.each([
    ['records that belong to everybody', sharedRecords],
    ['limits that everybody has together', sharedLimits],
    ['namespaces told apart by how they begin', prefixSessions],
    ['namespaces told apart by how they look', foldedSessions],
    ['entries told apart by their place', placesOfEverybody],
    ['a search without bounds', unboundedSearch],
    ['an erase that takes too much', greedyErase],
    ['pages that go on too long', overrunningPages],
    ['notices for everybody', loudNotices],
  ])('%s', { timeout: 60_000 }, async (_, leaky) => {
    const { findings } = await playRound({ ...found, store: leaky() })
    expect(findings.map(({ kind }) => kind).filter((kind) => kind !== 'broke')).not.toEqual([])
  })

  it('a tool that remembers', { timeout: 60_000 }, async () => {
    const { findings } = await playRound({ ...found, store: memoryStore(), tools: [forgetlessTool()] })
    expect(findings.map(({ kind }) => kind)).toContain('seen')
  })
})
