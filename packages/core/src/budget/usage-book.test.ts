import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { JsonValue } from '../json.ts'
import { Namespace } from '../namespace.ts'
import { memoryStore } from '../store/memory-store.ts'
import { priceTable } from './price-table.ts'
import { readUsage } from './read-usage.ts'
import type { RunSpend } from './spend.ts'
import type { UsageWindow } from './usage.ts'
import { openUsageBook } from './usage-book.ts'

const DAY = 24 * 3_600_000
const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const prices = priceTable({ 'big*': { input: 1, output: 10 } })
const now = () => Date.UTC(2026, 10, 23, 12)

function usageOf(inputTokens: number, outputTokens = 0) {
  return { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 }
}

function spendOf(runId: string, model = 'big', tools: readonly string[] = [], startedAt = now()): RunSpend {
  const models = [{ model, calls: 2, usage: usageOf(1000, 100) }]
  return { runId, startedAt, models, tools: new Map(tools.map((tool) => [tool, 1])) }
}

function setUp() {
  const { records } = memoryStore({ now })
  const open = (namespace = bob) => openUsageBook(namespace, records, { provider: 'scripted', prices })
  const read = (window: UsageWindow, within = acme) => readUsage(records, within, window, { now })
  return { records, open, read }
}

describe('a usage book', () => {
  it('adds up runs, models, money and tools', async () => {
    const { open, read } = setUp()
    const book = open()
    await book.add(spendOf('r1', 'big', ['search', 'mail']))
    await book.add(spendOf('r2', 'big-2', ['search']))
    await open(acme.child('user', 'eve')).add(spendOf('r3', 'unheard-of'))
    await open(Namespace.of('tenant', 'acme2')).add(spendOf('r4'))
    const model = { calls: 2, usage: usageOf(1000, 100) }
    expect(await read('day')).toEqual({
      runs: 3,
      usage: usageOf(3000, 300),
      usd: 0.004,
      unpricedCalls: 2,
      cutOffCalls: 0,
      models: { big: { ...model, usd: 0.002 }, 'big-2': { ...model, usd: 0.002 }, 'unheard-of': { ...model, usd: 0 } },
      tools: { search: { calls: 2 }, mail: { calls: 1 } },
    })
    expect(await read('day', bob)).toMatchObject({ runs: 2, unpricedCalls: 0 })
  })

  it('writes once for each run and reads only at first', async () => {
    const { records, open } = setUp()
    const [get, put, list] = [vi.spyOn(records, 'get'), vi.spyOn(records, 'put'), vi.spyOn(records, 'list')]
    const book = open()
    for (let run = 0; run < 5; run += 1) await book.add(spendOf(`r${run}`))
    expect([get, put, list].map(({ mock }) => mock.calls.length)).toEqual([1, 5, 0])
  })

  it('counts a run once that is added again, after a crash or midnight, too', async () => {
    const { records, open, read } = setUp()
    const book = open()
    await book.add(spendOf('r1'))
    await book.add(spendOf('r1'))
    const tomorrow = () => now() + DAY
    await openUsageBook(bob, records, { provider: 'scripted' }).add(spendOf('r1'))
    await book.add(spendOf('r1'))
    expect(await read({ from: new Date(now()), to: new Date(tomorrow()) })).toMatchObject({ runs: 1 })
  })

  it('counts a run once whose write came through without an answer', async () => {
    const { records, open, read } = setUp()
    const book = open()
    await book.add(spendOf('r1'))
    const { put } = records
    vi.spyOn(records, 'put').mockImplementationOnce(async (...args) => {
      await put(...args)
      throw new Error('away')
    })
    await expect(book.add(spendOf('r2'))).rejects.toThrow('away')
    await book.add(spendOf('r2'))
    expect(await read('day')).toMatchObject({ runs: 2 })
  })

  it('counts of a run that is added again what it has used since', async () => {
    const { open, read } = setUp()
    const first = spendOf('r1', 'big', ['search'])
    await open().add(first)
    const more = [
      { model: 'big', calls: 3, usage: usageOf(1500, 100) },
      { model: 'new', calls: 1, usage: usageOf(7) },
    ]
    const later = { ...first, models: more, tools: new Map([['search', 2]]) }
    for (let time = 0; time < 2; time += 1) await open().add(later)
    expect(await read('day')).toMatchObject({
      runs: 1,
      usd: 0.0025,
      models: { big: { calls: 3, usage: usageOf(1500, 100) }, new: { calls: 1, usage: usageOf(7) } },
      tools: { search: { calls: 2 } },
    })
  })

  it('adds up to what the runs have used at last, however often and wherever they are added', async () => {
    const step = fc.record({ run: fc.nat(1), process: fc.nat(1), model: fc.nat(1), tokens: fc.nat(1000) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { open, read } = setUp()
        const books = [open(), open()]
        const spent = new Map<number, Map<string, { calls: number; usage: ReturnType<typeof usageOf> }>>()
        for (const { run, process, model, tokens } of steps) {
          const models = spent.get(run) ?? new Map()
          const { calls = 0, usage = usageOf(0) } = models.get(`m${model}`) ?? {}
          models.set(`m${model}`, { calls: calls + 1, usage: usageOf(usage.inputTokens + tokens) })
          spent.set(run, models)
          const list = [...models].map(([name, spend]) => ({ model: name, ...spend }))
          await books[process]?.add({ ...spendOf(`r${run}`), models: list })
        }
        const { runs, usage, models } = await read('day')
        expect(runs).toBe(spent.size)
        expect(usage).toEqual(usageOf(steps.reduce((sum, { tokens }) => sum + tokens, 0)))
        expect(Object.values(models).reduce((sum, { calls }) => sum + calls, 0)).toBe(steps.length)
      }),
      { numRuns: 200 },
    )
  })

  it('prices what answered, and where nobody knows that, what was asked for', async () => {
    const { open, read } = setUp()
    const usage = usageOf(1000)
    const models = [
      { model: 'other', asked: 'big', calls: 1, usage },
      { model: 'other', asked: 'small', calls: 1, usage },
      { model: 'big-2', asked: 'small', calls: 1, usage },
    ]
    await open().add({ ...spendOf('r1'), models })
    expect(await read('day')).toMatchObject({
      usd: 0.002,
      unpricedCalls: 1,
      models: { other: { calls: 2, usd: 0.001 }, 'big-2': { calls: 1, usd: 0.001 } },
    })
  })

  it('counts calls that stand in no log with the next run, or when it is told to', async () => {
    const { records, open, read } = setUp()
    const put = vi.spyOn(records, 'put')
    const book = open()
    book.note(now(), { model: 'big', usage: usageOf(30, 1) })
    await book.add(spendOf('r1'))
    expect(put).toHaveBeenCalledTimes(1)
    book.note(now(), { model: 'big', usage: usageOf(4) })
    await book.flush()
    await book.flush()
    expect(put).toHaveBeenCalledTimes(2)
    expect(await read('day')).toMatchObject({
      runs: 1,
      cutOffCalls: 2,
      models: { big: { calls: 4, usage: usageOf(1034, 101) } },
    })
  })

  it('of a session that is gone is written only where it was not erased', async () => {
    const { records, open, read } = setUp()
    const book = open()
    await book.add(spendOf('r1'), { isGone: true })
    expect(await read('day')).toMatchObject({ runs: 1 })
    await records.erase(bob)
    await book.add(spendOf('r2'), { isGone: true })
    expect(await read('day')).toMatchObject({ runs: 0 })
  })

  it('never becomes too much to be read, and loses no day for one bad number', async () => {
    const { records, open, read } = setUp()
    const most = Number.MAX_SAFE_INTEGER
    const key = { collection: 'orra.usage.2026-11', namespace: bob, id: '2026-11-23' }
    const bad = { model: 'bad', calls: 2, usage: { inputTokens: null }, microUsd: null, unpricedCalls: -1 }
    const good = { model: 'big', calls: 1, usage: usageOf(most - 5), microUsd: 2, unpricedCalls: 0 }
    const value = { runs: 5, models: [bad, 7, good], tools: [null, { tool: 'search', calls: 3 }], lastRuns: ['old'] }
    await records.put(key, value as unknown as JsonValue)
    await open().add(spendOf('r1'))
    expect(await read('day')).toMatchObject({
      runs: 6,
      models: { bad: { calls: 2, usage: usageOf(0) }, big: { calls: 3, usage: usageOf(most, 100) } },
      tools: { search: { calls: 3 } },
    })
  })

  it('loses nothing where several write at once', async () => {
    const { open, read } = setUp()
    const books = [open(), open(), open()]
    await Promise.all(Array.from({ length: 30 }, (_, run) => books[run % 3]?.add(spendOf(`r${run}`))))
    expect(await read('day')).toMatchObject({ runs: 30, usage: usageOf(30_000, 3000) })
  })

  it('takes names that mean something to JavaScript', async () => {
    const { open, read } = setUp()
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const book = open()
    for (const [run, name] of names.entries()) await book.add(spendOf(`r${run}`, name, [name]))
    const { models, tools } = await read('day')
    expect(Object.keys(models)).toEqual(names)
    for (const name of names) expect(Object.entries(tools)).toContainEqual([name, { calls: 1 }])
    expect(Object.getPrototypeOf(models)).toBe(Object.prototype)
  })

  it('leaves alone what somebody else has written there', async () => {
    const { records, open, read } = setUp()
    const collection = 'orra.usage.2026-11'
    const junk: readonly JsonValue[] = [null, 'x', [], { runs: 1 }, { runs: 1, models: null, tools: [], lastRuns: [] }]
    for (const [place, value] of junk.entries()) {
      await records.put({ collection, namespace: acme.child('junk', `${place}`), id: '2026-11-23' }, value)
    }
    await records.put({ collection: 'memory', namespace: bob, id: '2026-11-23' }, { runs: 9 })
    await open().add(spendOf('r1'))
    expect(await read('day')).toMatchObject({ runs: 1 })
  })

  it('stops with its signal', async () => {
    const { records, open } = setUp()
    const signal = AbortSignal.abort(new Error('over'))
    await expect(open().add(spendOf('r1'), { signal })).rejects.toThrow('over')
    await expect(readUsage(records, acme, 'day', { now, signal })).rejects.toThrow('over')
  })
})

describe('reading what was used', () => {
  it('sums the days of a window, from page to page', async () => {
    const start = Date.UTC(2026, 8, 1)
    const days = fc.array(fc.nat(90), { maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(days, fc.nat(90 * DAY), fc.nat(40 * DAY), async (days, from, length) => {
        const { records, open, read } = setUp()
        const { list } = records
        records.list = (options) => list({ ...options, limit: 2 })
        for (const [run, day] of days.entries()) {
          const namespace = run % 2 === 0 ? bob : acme
          await open(namespace).add(spendOf(`r${run}`, 'big', [], start + day * DAY + 5))
        }
        const window = { from: new Date(start + from), to: new Date(start + from + length) }
        const [first, last] = [Math.floor(from / DAY), Math.floor((from + length) / DAY)]
        const { runs, usage } = await read(window)
        expect(runs).toBe(days.filter((day) => day >= first && day <= last).length)
        expect(usage).toEqual(usageOf(1000 * runs, 100 * runs))
        const inNovember = days.filter((day) => day >= 61 && day <= 83)
        expect((await read('month')).runs).toBe(inNovember.length)
        expect((await read('day')).runs).toBe(days.filter((day) => day === 83).length)
      }),
      { numRuns: 300 },
    )
  })

  it('asks only for the months of the window', async () => {
    const { records, read } = setUp()
    const list = vi.spyOn(records, 'list')
    await read({ from: new Date('2025-12-31T23:59:59Z'), to: new Date('2026-02-01T00:00:00Z') })
    expect(list.mock.calls.map(([options]) => options?.collection)).toEqual([
      'orra.usage.2025-12',
      'orra.usage.2026-01',
      'orra.usage.2026-02',
    ])
  })

  it.each([
    ['an unknown word', 'week'],
    ['nothing', undefined],
    ['no date', { from: 5, to: new Date() }],
    ['a date that is none', { from: new Date('x'), to: new Date() }],
    ['the wrong order', { from: new Date(5), to: new Date(4) }],
    ['a hundred years', { from: new Date(0), to: new Date(100 * 365 * DAY) }],
  ])('refuses %s', async (_, window) => {
    const { read } = setUp()
    const reading = read(window as UsageWindow)
    await expect(reading).rejects.toSatisfy((error) => isOrraError(error, 'options.invalid'))
  })
})
