import { defineTool, memoryStore, type NotifyingStore, type SessionEvent, type Store } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { announced, aSwitch, bob, codeOf, scripted } from './harness.ts'

/** A line an event, as far as a watcher cares. */
function lineOf(event: SessionEvent): string {
  if (event.type === 'entry') return `${event.seq} ${event.entry.type}`
  if (event.type === 'text-delta') return `"${event.text}"`
  return event.type === 'tool-call-progress' ? `… ${event.message}` : event.type
}

/** What a watcher has seen, until one of its lines is `last`. */
async function until(events: AsyncIterable<SessionEvent>, last: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const event of events) {
    lines.push(lineOf(event))
    if (lines.at(-1) === last) break
  }
  return lines
}

/** With a pause in mid-reply, in which the test does what it wants. */
function talking(store: Store) {
  const [asked, said, go] = [aSwitch(), aSwitch(), aSwitch()]
  const made = scripted([announced(asked, { text: 'one two ', after: go.promise })], { store })
  const run = async () => {
    for await (const event of made.orra.stream(bob, 'Hello')) {
      if (event.type === 'text-delta' && event.text === 'two ') said.on()
    }
  }
  return { ...made, run, said, go }
}

const whole = [
  '1 input',
  '2 run-started',
  '3 message',
  'model-call-start',
  '"one "',
  '"two "',
  '4 message',
  '5 run-ended',
]

/** The same data for another process: whether it is told of things, or looks. */
const kinds: readonly (readonly [string, () => Store])[] = [
  ['a store that notifies', () => memoryStore()],
  ['a store that does not', () => withoutNotices(memoryStore())],
]

function withoutNotices({ notices: _, ...store }: NotifyingStore): Store {
  return store
}

describe.each(kinds)('watching, with %s', (_, makeStore) => {
  it('shows a run from before its beginning to its end', async () => {
    const { orra, run, go } = talking(makeStore())
    const seen = until(orra.session(bob).watch(), '5 run-ended')
    go.on()
    await new Promise((resolve) => setImmediate(resolve))
    await run()
    expect(await seen).toEqual(whole)
  })

  it('shows one who is late what was said, and what the run has done', async () => {
    const { orra, run, said, go } = talking(makeStore())
    const running = run()
    await said.promise
    const watching = orra.session(bob).watch()
    const first = await until(watching, '"two "')
    expect(first).toEqual(whole.slice(1, 6))
    go.on()
    await running
  })

  it('goes on where a watcher was cut off', async () => {
    const { orra, run, go } = talking(makeStore())
    go.on()
    await run()
    expect(await until(orra.session(bob).watch({ after: 3 }), '5 run-ended')).toEqual(whole.slice(6))
    expect(await until(orra.session(bob).watch({ after: 0 }), '5 run-ended')).toEqual(
      whole.filter((line) => /^\d/.test(line)),
    )
  })

  it('ends with its signal, and with its runtime', async () => {
    const { orra } = talking(makeStore())
    const stop = new AbortController()
    const watching = orra.session(bob).watch({ signal: stop.signal })[Symbol.asyncIterator]()
    const next = watching.next()
    stop.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    const other = orra.session(bob).watch()[Symbol.asyncIterator]().next()
    await orra.close()
    expect(await codeOf(other)).toBe('runtime.closed')
  })

  it('fails when the session is deleted', async () => {
    const { orra } = talking(makeStore())
    await orra.session(bob).setMetadata({ title: 'T' })
    const watching = orra.session(bob).watch({ after: 0 })[Symbol.asyncIterator]()
    expect(lineOf((await watching.next()).value as SessionEvent)).toBe('1 metadata')
    await orra.session(bob).delete()
    expect(await codeOf(watching.next())).toBe('session.deleted')
  })
})

describe('a watcher', () => {
  it('misses nothing of a reply while others write to the session', async () => {
    const store = memoryStore()
    const { orra, run, said, go } = talking(store)
    const seen = until(orra.session(bob).watch(), '6 run-ended')
    await new Promise((resolve) => setImmediate(resolve))
    const running = run()
    await said.promise
    await orra.session(bob).setMetadata({ title: 'T' })
    const late = orra.session(bob).watch({ after: 4 })
    expect(await until(late, '"two "')).toEqual(['model-call-start', '"one "', '"two "'])
    go.on()
    await running
    expect((await seen).filter((line) => line.startsWith('"'))).toEqual(['"one "', '"two "'])
  })

  it('is told a reply again, from its beginning, when another process takes the run over', async () => {
    const store = memoryStore()
    const dead = talking(store)
    const running = dead.run().catch(() => {})
    await dead.said.promise
    const { orra } = scripted(['uno dos tres '], { store })
    const seen: string[] = []
    const begun = aSwitch()
    const watching = (async () => {
      for await (const event of orra.session(bob).watch()) {
        seen.push(lineOf(event))
        if (seen.at(-1) === '"two "') begun.on()
        if (seen.at(-1) === '5 run-ended') return
      }
    })()
    await begun.promise
    await dead.orra.close()
    await running
    await orra.resume(bob)
    await watching
    expect(seen.slice(2)).toEqual([
      'model-call-start',
      '"one "',
      '"two "',
      'model-call-start',
      '"uno "',
      '"dos "',
      '"tres "',
      '4 message',
      '5 run-ended',
    ])
  })

  it('is told the last words before the entry that holds them, however slowly notices come', async () => {
    const store = memoryStore()
    const late: (() => void)[] = []
    const publish: NotifyingStore['notices']['publish'] = (namespace, notice) => {
      late.push(() => store.notices.publish(namespace, notice))
      setTimeout(() => late.shift()?.(), 5)
    }
    const slow: NotifyingStore = { ...store, notices: { ...store.notices, publish } }
    const asked = aSwitch()
    const go = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'one two three', before: go.promise })], { store: slow })
    const running = orra.run(bob, 'Hello')
    await asked.promise
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of orra.session(bob).watch()) {
        seen.push(lineOf(event))
        if (seen.at(-1) === 'model-call-start') go.on()
        if (seen.at(-1) === '5 run-ended') return
      }
    })()
    await running
    await watching
    expect(seen.slice(2)).toEqual(['model-call-start', '"one "', '"two "', '"three"', '4 message', '5 run-ended'])
  })

  it('can leave while nothing happens', async () => {
    const { orra } = scripted([])
    const watching = orra.session(bob).watch()[Symbol.asyncIterator]()
    const next = watching.next()
    await new Promise((resolve) => setImmediate(resolve))
    await watching.return?.()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('costs little, however many come late', async () => {
    const store = memoryStore()
    let told = 0
    const publish: NotifyingStore['notices']['publish'] = (namespace, notice) => {
      if (notice['type'] === 'live') told += 1
      store.notices.publish(namespace, notice)
    }
    const noisy: NotifyingStore = { ...store, notices: { ...store.notices, publish } }
    const go = aSwitch()
    const { orra } = scripted([{ text: 'word '.repeat(500), after: go.promise }], { store: noisy })
    const running = orra.run(bob, 'Hello')
    const late = Array.from({ length: 50 }, async () => {
      let words = 0
      for await (const event of orra.session(bob).watch()) if (lineOf(event) === '"word "' && ++words === 500) break
    })
    await Promise.all(late)
    go.on()
    await running
    // Each word once, and a few times all of them for those who were late.
    expect(told).toBeLessThan(700)
  })

  it('is not opened with what it does not have', async () => {
    const session = scripted([]).orra.session(bob)
    expect(await codeOf(() => session.watch({ aftr: 1 } as never))).toBe('options.invalid')
    expect(await codeOf(() => session.watch({ after: -1 }))).toBe('options.invalid')
    expect(await codeOf(() => session.watch({ signal: 5 } as never))).toBe('options.invalid')
  })
})

describe('watching from another process', () => {
  it('shows what a model says while it says it, where the store can tell', async () => {
    const store = memoryStore()
    const { run, said, go } = talking(store)
    const other = scripted([], { store }).orra
    const running = run()
    await said.promise
    expect(await until(other.session(bob).watch(), '"two "')).toEqual(whole.slice(1, 6))
    const rest = until(other.session(bob).watch({ after: 3 }), '5 run-ended')
    go.on()
    await running
    expect((await rest).filter((line) => /^\d/.test(line))).toEqual(['4 message', '5 run-ended'])
  })

  it('shows the entries, where it cannot', async () => {
    const store = withoutNotices(memoryStore())
    const { run, go } = talking(store)
    go.on()
    const seen = until(scripted([], { store }).orra.session(bob).watch({ after: 0 }), '5 run-ended')
    await run()
    expect(await seen).toEqual(whole.filter((line) => /^\d/.test(line)))
  })

  it('survives notices that say nothing it knows, are lost, or come twice', async () => {
    const store = memoryStore()
    const publish: NotifyingStore['notices']['publish'] = (namespace, notice) => {
      store.notices.publish(namespace, { type: 'from the future', x: 1 })
      store.notices.publish(namespace, notice)
      if (notice['type'] === 'live') store.notices.publish(namespace, notice)
    }
    const noisy: NotifyingStore = { ...store, notices: { ...store.notices, publish } }
    const { orra, run, go } = talking(noisy)
    const seen = until(orra.session(bob).watch(), '5 run-ended')
    go.on()
    await new Promise((resolve) => setImmediate(resolve))
    await run()
    expect(await seen).toEqual(whole)
  })
})

it('a watcher sees the progress of tools, and long texts in pieces that notices can carry', async () => {
  const sizes: number[] = []
  const store = memoryStore()
  const publish: NotifyingStore['notices']['publish'] = (namespace, notice) => {
    sizes.push(Buffer.byteLength(JSON.stringify(notice)))
    store.notices.publish(namespace, notice)
  }
  const tool = defineTool({
    name: 'dig',
    description: 'Digs.',
    execute: (_, { progress }) => {
      progress('half-way')
      return 'done'
    },
  })
  const long = '\u0001😀'.repeat(20_000)
  const measuring: NotifyingStore = { ...store, notices: { ...store.notices, publish } }
  const { orra } = scripted([{ toolCalls: [{ name: 'dig' }] }, { text: long }], { store: measuring, tools: [tool] })
  const watching = (async () => {
    const seen: SessionEvent[] = []
    for await (const event of orra.session(bob).watch()) {
      seen.push(event)
      if (event.type === 'entry' && event.entry.type === 'run-ended') return seen
    }
    return seen
  })()
  await new Promise((resolve) => setImmediate(resolve))
  await orra.run(bob, 'Hello')
  const seen = await watching
  expect(seen.map(lineOf)).toContain('… half-way')
  expect(seen.flatMap((event) => (event.type === 'text-delta' ? event.text : [])).join('')).toBe(long)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(7000)
})

it('nothing live is told while nobody watches', async () => {
  const store = memoryStore()
  const told: unknown[] = []
  const publish: NotifyingStore['notices']['publish'] = (_, notice) => void told.push(notice['type'])
  const listening: NotifyingStore = { ...store, notices: { ...store.notices, publish } }
  const { orra } = scripted(['Hi there.'], { store: listening })
  await orra.run(bob, 'Hello')
  expect(told).toEqual(['working'])
})
