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

  it('that was submitted is not taken back by one who waits for it and leaves', async () => {
    const { orra } = scripted(['Hi.'])
    const key = await orra.submit(bob, 'Hello', { key: 'k' })
    await orra.run(bob, 'Hello', { key, signal: AbortSignal.abort() })
    expect((await orra.resume(bob))?.text).toBe('Hi.')
  })
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
