import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fairQueue } from './fair-queue.ts'
import { minHeap } from './min-heap.ts'

interface Item {
  readonly tenant: string
  readonly cost: number
}

describe('a heap', () => {
  it('gives what a sorted list gives, whatever is put in, moved and taken out', () => {
    const step = fc.record({ item: fc.nat(12), size: fc.nat(6), type: fc.constantFrom('set', 'set', 'delete') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const heap = minHeap<number>()
        let sorted: { readonly item: number; readonly size: number }[] = []
        for (const { item, size, type } of steps) {
          sorted = sorted.filter((other) => other.item !== item)
          if (type === 'delete') heap.delete(item)
          else {
            heap.set(item, size)
            sorted.push({ item, size })
          }
          // The sort is stable: of equals, the one put in first comes first.
          expect(heap.first()).toBe(sorted.toSorted((a, b) => a.size - b.size)[0]?.item)
          expect(heap.size).toBe(sorted.length)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a fair queue', () => {
  const weights = { a: 1, b: 2, c: 5 } as const
  const tenant = fc.constantFrom('a', 'b', 'c' as const)

  it('gives all that wait their part by weight, a tenant’s own items in order', () => {
    const items = fc.array(fc.record({ tenant, cost: fc.integer({ min: 1, max: 9 }) }), { maxLength: 80 })
    fc.assert(
      fc.property(items, (items) => {
        const queue = fairQueue<Item>()
        const waiting = { a: [] as Item[], b: [] as Item[], c: [] as Item[] }
        for (const item of items) {
          queue.add(item.tenant, item, { cost: item.cost, weight: weights[item.tenant] })
          waiting[item.tenant].push(item)
        }
        const served = { a: 0, b: 0, c: 0 }
        const shares = Object.keys(weights) as readonly (keyof typeof weights)[]
        // Nobody who has waited all the time is ahead of another by more than one item of each.
        while (shares.every((name) => waiting[name].length > 0)) {
          const item = queue.first() as Item & { readonly tenant: keyof typeof weights }
          expect(item).toBe(waiting[item.tenant].shift())
          queue.pass(item)
          served[item.tenant] += item.cost
          for (const one of shares) {
            for (const other of shares) {
              const ahead = served[one] / weights[one] - served[other] / weights[other]
              expect(ahead).toBeLessThanOrEqual(9 / weights[one] + 9 / weights[other])
            }
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('lets a newcomer wait for no more than its own cost and one item of each, however long the queue is', () => {
    const flood = fc.record({
      length: fc.integer({ min: 20, max: 300 }),
      passed: fc.nat(19),
      weight: fc.constantFrom(1, 2),
    })
    fc.assert(
      fc.property(flood, ({ length, passed, weight }) => {
        const queue = fairQueue<Item>()
        for (let item = 0; item < length; item += 1) {
          queue.add('flood', { tenant: 'flood', cost: 1 }, { cost: 1, weight: 1 })
        }
        for (let item = 0; item < passed; item += 1) queue.pass(queue.first() as Item)
        const mine = { tenant: 'mine', cost: 1 }
        queue.add('mine', mine, { cost: 1, weight })
        let before = 0
        while (queue.first() !== mine) {
          queue.pass(queue.first() as Item)
          before += 1
        }
        expect(before).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('forgets what is taken out of it', () => {
    const operation = fc.record({
      tenant,
      cost: fc.integer({ min: 1, max: 9 }),
      type: fc.constantFrom('add', 'delete', 'pass'),
    })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const queue = fairQueue<Item>()
        const waiting = new Set<Item>()
        for (const { tenant, cost, type } of operations) {
          const item = { tenant, cost }
          const [oldest] = waiting
          if (type === 'add') {
            queue.add(tenant, item, { cost, weight: 1 })
            waiting.add(item)
          } else if (type === 'delete' && oldest) {
            queue.delete(oldest)
            queue.delete(oldest)
            waiting.delete(oldest)
          } else {
            const first = queue.first()
            if (first) queue.pass(first)
            waiting.delete(first as Item)
          }
          expect(queue.size).toBe(waiting.size)
          expect(queue.first() === undefined).toBe(waiting.size === 0)
          if (waiting.size > 0) expect(waiting.has(queue.first() as Item)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
