import { describe, expect, it } from 'vitest'
import { eventStream } from './event-stream.ts'

async function collect<T>(events: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const event of events) all.push(event)
  return all
}

describe('an event stream', () => {
  it('gives everything in order, whether it was read before or after it came', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const events = eventStream<number>(async (emit) => {
      emit(1)
      emit(2)
      await promise
      emit(3)
    })
    const asked = [events.next(), events.next(), events.next(), events.next()]
    resolve()
    expect(await Promise.all(asked)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: false, value: 3 },
      { done: true, value: undefined },
    ])
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('begins with its first reader, and once', async () => {
    let begun = 0
    const events = eventStream<number>(async (emit) => emit(++begun))
    expect(begun).toBe(0)
    expect(await collect(events)).toEqual([1])
    expect(await collect(events)).toEqual([])
  })

  it('fails after what came before, once', async () => {
    const events = eventStream<number>(async (emit) => {
      emit(1)
      throw new Error('late')
    })
    expect(await events.next()).toEqual({ done: false, value: 1 })
    await expect(events.next()).rejects.toThrow('late')
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('when left aborts the work, waits for its end and hides its failure', async () => {
    let ended = false
    const events = eventStream<number>(async (emit, left) => {
      emit(1)
      emit(2)
      await new Promise((resolve) => left.addEventListener('abort', resolve))
      ended = true
      throw new Error('left')
    })
    for await (const _ of events) break
    expect(ended).toBe(true)
    expect(await collect(events)).toEqual([])
  })

  it('left before it began never begins', async () => {
    let begun = false
    const events = eventStream<number>(async () => {
      begun = true
    })
    await events.return?.()
    expect(await collect(events)).toEqual([])
    expect(begun).toBe(false)
  })
})
