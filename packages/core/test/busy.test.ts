import { canNotify, defineTool, memoryStore, type RunEvent, type Store } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { announced, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

/** A run that is in the middle of its first model call, which ends when the test says so. */
function busy(first: string, rest: readonly string[], store: Store = memoryStore()) {
  const asked = aSwitch()
  const go = aSwitch()
  const made = scripted([announced(asked, { text: first, before: go.promise }), ...rest], { store })
  return { ...made, asked, go, store }
}

const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })

describe('a message to a busy session', () => {
  it('waits its turn, unless it says otherwise', async () => {
    const { orra, asked, go } = busy('One.', ['Two.'])
    const first = orra.run(bob, '1')
    await asked.promise
    const second = orra.run(bob, '2')
    go.on()
    expect([(await first).text, (await second).text]).toEqual(['One.', 'Two.'])
  })

  it('is told so with "reject", and leaves no trace', async () => {
    const { orra, asked, go } = busy('One.', ['Two.'])
    const first = orra.run(bob, '1')
    await asked.promise
    expect(await codeOf(orra.run(bob, '2', { whenBusy: 'reject' }))).toBe('session.busy')
    expect(await codeOf(orra.submit(bob, '2', { whenBusy: 'reject' }))).toBe('session.busy')
    go.on()
    await first
    expect((await logOf(orra)).filter((line) => line.startsWith('input'))).toEqual(['input: 1'])
    expect((await orra.run(bob, '2', { whenBusy: 'reject' })).text).toBe('Two.')
  })

  it('that was accepted before is not rejected when it is sent again', async () => {
    const { orra, asked, go } = busy('One.', [])
    const first = orra.run(bob, '1', { key: 'k', whenBusy: 'reject' })
    await asked.promise
    const again = orra.run(bob, '1', { key: 'k', whenBusy: 'reject' })
    go.on()
    expect((await again).text).toBe('One.')
    expect((await first).runId).toBe((await again).runId)
  })

  it('that is rejected because a process died gets the session going for the next', async () => {
    const store = memoryStore()
    await scripted([], { store }).orra.submit(bob, 'left behind')
    const { orra } = scripted(['Late.', 'Now.'], { store })
    const answered = aSwitch()
    const watching = (async () => {
      for await (const event of orra.session(bob).watch()) {
        if (event.type === 'entry' && event.entry.type === 'run-ended') return answered.on()
      }
    })()
    expect(await codeOf(orra.run(bob, 'hello', { whenBusy: 'reject' }))).toBe('session.busy')
    await answered.promise
    await watching
    expect((await orra.run(bob, 'hello', { whenBusy: 'reject' })).text).toBe('Now.')
  })

  it('interrupts what runs and what waits with "interrupt", and is answered next', async () => {
    const { orra, asked } = busy('One.', ['Three.'])
    const first = orra.run(bob, '1')
    await asked.promise
    const second = orra.run(bob, '2')
    const third = await orra.run(bob, '3', { whenBusy: 'interrupt' })
    expect([(await first).reason, (await second).reason, third.text]).toEqual(['aborted', 'aborted', 'Three.'])
    expect((await logOf(orra)).slice(-2)).toEqual(['assistant: Three.', 'run-ended completed'])
  })

  it('interrupts at once a run that another process has', async () => {
    const store = memoryStore()
    const one = busy('One.', [], store)
    const two = scripted(['Two.'], { store })
    const first = one.orra.run(bob, '1')
    await one.asked.promise
    const second = await two.orra.run(bob, '2', { whenBusy: 'interrupt' })
    // The model of the first was never let go on.
    expect([(await first).reason, second.text]).toEqual(['aborted', 'Two.'])
  })

  it('sent again with its key interrupts nothing', async () => {
    const { orra, asked, go } = busy('One.', [])
    const first = orra.run(bob, '1', { key: 'k', whenBusy: 'interrupt' })
    await asked.promise
    const again = orra.run(bob, '1', { key: 'k', whenBusy: 'interrupt' })
    go.on()
    expect([(await first).text, (await again).text]).toEqual(['One.', 'One.'])
  })

  it('joins the run with "steer", before its next model call', async () => {
    const asked = aSwitch()
    const go = aSwitch()
    const { orra, provider } = scripted(
      [announced(asked, { toolCalls: [{ name: 'look' }], before: go.promise }), 'Both.'],
      { tools: [look] },
    )
    const first = collect(orra.stream(bob, '1'))
    await asked.promise
    const second = collect(orra.stream(bob, '2', { whenBusy: 'steer' }))
    await orra.submit(bob, '3', { whenBusy: 'steer' })
    go.on()
    const [one, two] = [await first, await second]
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'user',
      'user',
    ])
    expect(one.map(({ type }) => type).filter((type) => type === 'input-joined')).toHaveLength(2)
    expect(two.at(0)).toMatchObject({ type: 'run-start' })
    expect(two.at(-1)).toEqual(one.at(-1))
    expect((await logOf(orra)).filter((line) => line === 'run-started')).toHaveLength(1)
  })

  it('that steers is answered even when the run had said its last', async () => {
    const { orra, asked, go } = busy('One.', ['Two.'])
    const first = orra.run(bob, '1')
    await asked.promise
    const second = orra.run(bob, '2', { whenBusy: 'steer' })
    go.on()
    expect(await first).toEqual(await second)
    expect((await first).text).toBe('Two.')
  })

  it('that steers a run without turns left is answered in one of its own', async () => {
    const { orra, asked, go } = busy('One.', ['Two.'])
    const first = orra.run(bob, '1', { maxTurns: 1 })
    await asked.promise
    const second = orra.run(bob, '2', { whenBusy: 'steer' })
    go.on()
    expect([(await first).text, (await second).text]).toEqual(['One.', 'Two.'])
  })

  it('that steers when nothing runs is a message like any other', async () => {
    const { orra } = scripted(['Hi.'])
    expect((await orra.run(bob, 'Hello', { whenBusy: 'steer' })).text).toBe('Hi.')
  })

  it('that steers a run of another process gets that run’s end', async () => {
    const store = memoryStore()
    const one = busy('One.', ['Both.'], store)
    const first = one.orra.run(bob, '1')
    await one.asked.promise
    const two = scripted([], { store })
    const second = two.orra.run(bob, '2', { whenBusy: 'steer' })
    await one.orra.session(bob).entries()[Symbol.asyncIterator]().next()
    while (!(await store.sessions.head(bob))?.inbox.length) await Promise.resolve()
    one.go.on()
    expect((await first).text).toBe('Both.')
    expect(await second).toEqual(await first)
  })

  it('passes runStart before it joins, and may be denied there without harm to the run', async () => {
    const asked = aSwitch()
    const go = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'One.', before: go.promise })], {
      hooks: [{ runStart: ({ message }) => (JSON.stringify(message).includes('bad') ? { deny: 'No.' } : undefined) }],
    })
    const first = orra.run(bob, 'good')
    await asked.promise
    const second = orra.run(bob, 'bad', { whenBusy: 'steer' })
    go.on()
    expect(await second).toMatchObject({ reason: 'denied', denial: 'No.' })
    expect((await first).text).toBe('One.')
  })

  it('that steers with settings of its own waits its turn, for the run has others', async () => {
    const { orra, provider, asked, go } = busy('One.', ['Two.'])
    const first = orra.run(bob, '1')
    await asked.promise
    const second = orra.run(bob, '2', { whenBusy: 'steer', tools: [], model: 'cheap' })
    go.on()
    expect([(await first).text, (await second).text]).toEqual(['One.', 'Two.'])
    expect(provider.requests.map(({ model }) => model)).toEqual(['scripted-1', 'cheap'])
  })

  it('interrupts in the same append in which it is accepted', async () => {
    const { orra, asked, store } = busy('One.', [])
    const first = orra.run(bob, '1')
    await asked.promise
    await orra.submit(bob, '2')
    const before = (await store.sessions.head(bob))?.length ?? 0
    await orra.submit(bob, '3', { key: 'three', whenBusy: 'interrupt' })
    const [one, two, three] = await store.sessions.read(bob, { after: before })
    expect([one, two, three].map((logged) => logged?.entry.type)).toEqual([
      'input-withdrawn',
      'input-withdrawn',
      'input',
    ])
    expect((await first).reason).toBe('aborted')
    expect((await store.sessions.head(bob))?.inbox).toEqual(['three'])
  })

  it('interrupts even one whose runStart hook does not answer', async () => {
    const hanging = aSwitch()
    const { orra } = scripted(['Two.'], {
      hooks: [
        {
          runStart: ({ message }) => {
            if (!JSON.stringify(message).includes('hang')) return undefined
            hanging.on()
            return aSwitch().promise as never
          },
        },
      ],
    })
    const first = orra.run(bob, 'hang')
    await hanging.promise
    const second = orra.run(bob, '2', { whenBusy: 'interrupt' })
    expect([(await first).reason, (await second).text]).toEqual(['aborted', 'Two.'])
  })

  it('that steers and leaves does not hold up the run by a hook of its own', async () => {
    const [hanging, asked, go] = [aSwitch(), aSwitch(), aSwitch()]
    const { orra } = scripted([announced(asked, { text: 'One.', before: go.promise })], {
      hooks: [
        {
          runStart: ({ message }) => {
            if (!JSON.stringify(message).includes('hang')) return undefined
            hanging.on()
            return aSwitch().promise as never
          },
        },
      ],
    })
    const first = orra.run(bob, '1')
    await asked.promise
    const stop = new AbortController()
    const second = orra.run(bob, 'hang', { whenBusy: 'steer', signal: stop.signal })
    go.on()
    await hanging.promise
    stop.abort()
    expect([(await second).reason, (await first).text]).toEqual(['aborted', 'One.'])
  })

  it('that is withdrawn elsewhere while it waits for another process ends at once', async () => {
    const store = memoryStore()
    const one = busy('One.', [], store)
    const first = one.orra.run(bob, '1')
    await one.asked.promise
    const two = scripted([], { store }).orra
    const waiting = aSwitch()
    const second = (async () => {
      let reason = ''
      for await (const event of two.stream(bob, '2')) {
        if (event.type === 'waiting') waiting.on()
        if (event.type === 'run-end') reason = event.reason
      }
      return reason
    })()
    await waiting.promise
    const key = await one.orra.submit(bob, '3', { whenBusy: 'interrupt' })
    expect(await second).toBe('aborted')
    expect((await first).reason).toBe('aborted')
    expect((await store.sessions.head(bob))?.inbox).toEqual([key])
  })

  it('that steers may leave without stopping the run', async () => {
    const [asked, go, joined] = [aSwitch(), aSwitch(), aSwitch()]
    const { orra } = scripted(
      [
        announced(asked, { toolCalls: [{ name: 'look' }], before: go.promise }),
        announced(joined, { text: 'Done.', before: new Promise((resolve) => setImmediate(resolve)) }),
      ],
      { tools: [look] },
    )
    const first = orra.run(bob, '1')
    await asked.promise
    const stop = new AbortController()
    const second = orra.run(bob, '2', { whenBusy: 'steer', signal: stop.signal })
    go.on()
    await joined.promise
    stop.abort()
    expect((await second).reason).toBe('aborted')
    expect((await first).text).toBe('Done.')
  })

  it('is refused for a way that does not exist', async () => {
    const { orra } = scripted([])
    expect(await codeOf(orra.run(bob, 'x', { whenBusy: 'wait' as never }))).toBe('options.invalid')
    expect(await codeOf(orra.run(bob, 'x', { key: '' }))).toBe('options.invalid')
  })
})

describe('a key', () => {
  it('means the message that was accepted first, whatever is sent with it later', async () => {
    const store = memoryStore()
    await scripted([], { store }).orra.submit(bob, 'first', { key: 'k', model: 'model-1' })
    // A process that has not seen the session yet.
    const { orra, provider } = scripted(['Hi.'], { store })
    await orra.run(bob, 'second', { key: 'k', model: 'model-2' })
    expect(provider.requests[0]).toMatchObject({ model: 'model-1' })
    expect(JSON.stringify(provider.requests[0]?.messages)).toContain('first')
    expect(await logOf(orra)).toEqual([
      'input: first',
      'run-started',
      'user: first',
      'assistant: Hi.',
      'run-ended completed',
    ])
  })

  it('is answered once, whoever sends it and however often', async () => {
    const { orra, provider } = scripted(['Hi.'])
    const events: RunEvent[][] = []
    const send = async () => {
      const seen: RunEvent[] = []
      events.push(seen)
      for await (const event of orra.stream(bob, 'Hello', { key: 'k' })) seen.push(event)
    }
    await Promise.all([send(), send(), send()])
    await send()
    expect(provider.requests).toHaveLength(1)
    expect(new Set(events.map((seen) => JSON.stringify(seen.at(-1)))).size).toBe(1)
  })

  it('keeps the run going until the last who waits for it has left', async () => {
    const { orra, asked, go } = busy('One.', [])
    const stop = new AbortController()
    const first = orra.run(bob, '1', { key: 'k', signal: stop.signal })
    await asked.promise
    const second = orra.run(bob, '1', { key: 'k' })
    while (!(await orra.session(bob).head())) await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    expect((await first).reason).toBe('aborted')
    go.on()
    expect((await second).text).toBe('One.')
  })

  it('whose first sender has left is withdrawn by the last who leaves', async () => {
    const { orra, asked, go } = busy('One.', [])
    const first = orra.run(bob, '1')
    await asked.promise
    const [owner, other] = [new AbortController(), new AbortController()]
    const all = [
      orra.run(bob, '2', { key: 'k', signal: owner.signal }),
      orra.run(bob, '2', { key: 'k', signal: other.signal }),
    ]
    while (!(await orra.session(bob).head())?.inbox.includes('k')) await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    owner.abort()
    other.abort()
    expect((await Promise.all(all)).map(({ reason }) => reason)).toEqual(['aborted', 'aborted'])
    go.on()
    await first
    expect((await orra.session(bob).head())?.inbox).toEqual([])
  })

  it('that was submitted is not taken back by one who waits for it and leaves', async () => {
    const { orra } = scripted(['Hi.'])
    const key = await orra.submit(bob, 'Hello', { key: 'k' })
    await orra.run(bob, 'Hello', { key, signal: AbortSignal.abort() })
    expect((await orra.resume(bob))?.text).toBe('Hi.')
  })
})

it('an abort while the start of the run is being written is heeded', async () => {
  const store = memoryStore()
  const [writing, go] = [aSwitch(), aSwitch()]
  const slow: Store = {
    ...store,
    sessions: {
      ...store.sessions,
      append: async (namespace, entries, options) => {
        if (entries[0]?.type === 'run-started') {
          writing.on()
          await go.promise
        }
        return store.sessions.append(namespace, entries, options)
      },
    },
  }
  const { orra, provider } = scripted([], { store: slow })
  const stop = new AbortController()
  const running = orra.run(bob, 'Hello', { signal: stop.signal })
  await writing.promise
  stop.abort()
  go.on()
  expect((await running).reason).toBe('aborted')
  expect(provider.requests).toHaveLength(0)
})

it('one who resumes keeps a run going whose caller leaves', async () => {
  const { orra, asked, go } = busy('One.', [])
  const stop = new AbortController()
  const running = orra.run(bob, 'Hello', { key: 'k', signal: stop.signal })
  await asked.promise
  const other = orra.run(bob, 'Hello', { key: 'k' })
  await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  expect((await running).reason).toBe('aborted')
  go.on()
  expect((await other).text).toBe('One.')
})

it('closing does not wait for a hook of a message that is being accepted', async () => {
  const asked = aSwitch()
  const { orra } = scripted([], {
    hooks: [
      {
        beforeAppend: () => {
          asked.on()
          return aSwitch().promise as never
        },
      },
    ],
  })
  const running = codeOf(orra.run(bob, 'Hello'))
  await asked.promise
  await orra.close()
  expect(await running).toBe('runtime.closed')
})

it('an interrupt is noticed by looking, where nobody can tell', async () => {
  const { notices: _, ...store } = memoryStore()
  const asked = aSwitch()
  const one = scripted([announced(asked, { text: 'never', before: aSwitch().promise })], { store, leaseTtlMs: 150 })
  const first = one.orra.run(bob, '1')
  await asked.promise
  const second = scripted(['Two.'], { store, leaseTtlMs: 150 }).orra.run(bob, '2', { whenBusy: 'interrupt' })
  expect([(await first).reason, (await second).text]).toEqual(['aborted', 'Two.'])
})

it('a store that cannot notify is found out about by looking', async () => {
  const { notices: _, ...store } = memoryStore()
  expect(canNotify(store)).toBe(false)
  const one = busy('One.', [], store)
  const first = one.orra.run(bob, '1')
  await one.asked.promise
  const second = scripted(['Two.'], { store }).orra.run(bob, '2', { whenBusy: 'interrupt' })
  while ((await store.sessions.head(bob))?.inbox.length !== 1) await Promise.resolve()
  while (!(await logOf(one.orra)).includes('withdrawn')) await Promise.resolve()
  one.go.on()
  expect([(await first).reason, (await second).text]).toEqual(['aborted', 'Two.'])
})
