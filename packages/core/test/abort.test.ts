import { getEventListeners } from 'node:events'
import { scriptedProvider } from '@orra/conformance'
import { createRuntime, defineTool, memoryStore, type Provider, type RunEvent } from '@orra/core'
import { describe, expect, it, vi } from 'vitest'
import { announced, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

describe('stopping a run', () => {
  it('keeps what was seen of the reply, and leaves a log that goes on', async () => {
    const { orra, provider } = scripted([{ text: 'Once upon a time', after: aSwitch().promise }, 'Fine.'])
    const stop = new AbortController()
    const events: RunEvent[] = []
    for await (const event of orra.stream(bob, 'A story', { signal: stop.signal })) {
      events.push(event)
      if (event.type === 'text-delta' && event.text === 'time') stop.abort()
    }
    expect(events.at(-1)).toMatchObject({ type: 'run-end', reason: 'aborted', text: 'Once upon a time' })
    expect(provider.openStreams).toBe(0)
    expect((await orra.run(bob, 'Never mind')).text).toBe('Fine.')
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  })

  it('before the reply begins keeps only the question', async () => {
    const asked = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'Late', before: aSwitch().promise })])
    const stop = new AbortController()
    const running = orra.run(bob, 'Hello', { signal: stop.signal })
    await asked.promise
    stop.abort()
    expect(await running).toMatchObject({ reason: 'aborted', text: '' })
    expect(await logOf(orra)).toEqual(['input: Hello', 'run-started', 'user: Hello', 'run-ended aborted'])
  })

  it('does not wait for a model that does not heed the signal', async () => {
    const asked = aSwitch()
    const deaf: Provider = {
      name: 'deaf',
      model: 'deaf-1',
      async *stream() {
        asked.on()
        await new Promise(() => {})
      },
    }
    const orra = createRuntime({ provider: deaf })
    const stop = new AbortController()
    const running = orra.run(bob, 'Hello', { signal: stop.signal })
    await asked.promise
    stop.abort()
    expect((await running).reason).toBe('aborted')
  })

  it('stops its tools and gives every open call a result', async () => {
    const begun = aSwitch()
    let told = false
    const wait = defineTool({
      name: 'wait',
      description: 'Waits.',
      async execute(_, { signal }) {
        signal.addEventListener('abort', () => {
          told = true
        })
        begun.on()
        await new Promise(() => {})
        return ''
      },
    })
    const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })
    const toolCalls = [{ name: 'wait' }, { name: 'look' }]
    const { orra, provider } = scripted([{ toolCalls }, 'Fine.'], { tools: [wait, look], maxParallelTools: 1 })
    const stop = new AbortController()
    const running = orra.run(bob, 'Go', { signal: stop.signal })
    await begun.promise
    stop.abort()
    expect((await running).reason).toBe('aborted')
    expect(told).toBe(true)
    expect((await logOf(orra)).slice(4)).toEqual([
      'tool-started call-1',
      'tool: error call-1: It was stopped while it ran; nobody knows how far it came.',
      'tool: error call-2: It was not run to its end: the run was stopped.',
      'run-ended aborted',
    ])
    await orra.run(bob, 'Go on')
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'tool',
      'user',
    ])
  })

  it('by leaving the stream closes the model’s stream, too', async () => {
    const { orra, provider } = scripted([{ text: 'one two three', after: aSwitch().promise }])
    for await (const event of orra.stream(bob, 'Count')) if (event.type === 'text-delta') break
    expect(provider.openStreams).toBe(0)
    expect((await logOf(orra)).at(-1)).toBe('run-ended aborted')
  })

  it('before its turn takes the message back', async () => {
    const first = aSwitch()
    const { orra, provider } = scripted([{ text: 'One.', before: first.promise }, 'Three.'])
    const stop = new AbortController()
    const one = orra.run(bob, '1')
    const two = collect(orra.stream(bob, '2', { signal: stop.signal }))
    const three = orra.run(bob, '3')
    while ((await orra.session(bob).head())?.inbox.length !== 2) await Promise.resolve()
    stop.abort()
    expect(await two).toMatchObject([{ type: 'run-end', reason: 'aborted' }])
    first.on()
    expect([(await one).text, (await three).text]).toEqual(['One.', 'Three.'])
    expect(JSON.stringify(provider.requests)).not.toContain('"2"')
  })

  it('while another process holds the session takes the message back at once', async () => {
    const store = memoryStore()
    await store.sessions.claim(bob, { owner: 'other', ttlMs: 60_000 })
    const { orra } = scripted([], { store })
    const stop = new AbortController()
    const events: RunEvent[] = []
    for await (const event of orra.stream(bob, 'Hello', { signal: stop.signal })) {
      events.push(event)
      if (event.type === 'waiting') stop.abort()
    }
    expect(events.map(({ type }) => type)).toEqual(['waiting', 'run-end'])
    expect((await orra.session(bob).head())?.inbox).toEqual([])
    await orra.close()
  })

  it('that was stopped before it was asked accepts nothing', async () => {
    const { orra } = scripted([])
    const signal = AbortSignal.abort(new Error('no'))
    expect(await orra.run(bob, 'Hello', { signal })).toMatchObject({ reason: 'aborted', text: '' })
    expect(await collect(orra.stream(bob, 'Hello', { signal }))).toMatchObject([{ type: 'run-end', reason: 'aborted' }])
    expect(await orra.session(bob).head()).toBeUndefined()
  })

  it('leaves no listener and no timer, whatever was asked for with the signal', async () => {
    const { signal } = new AbortController()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const { orra } = scripted(['One.', 'Two.', 'Three.', 'Four.'])
    await orra.run(bob, '1', { signal, key: 'one' })
    await orra.run(bob, '1', { signal, key: 'one' })
    await orra.submit(bob, '2', { signal })
    await orra.recover({ signal, untilIdle: true })
    await orra.submit(bob, '3', { signal })
    await orra.resume(bob, { signal })
    await Promise.all([orra.run(bob, '4', { signal, key: 'k' }), orra.run(bob, '4', { signal, key: 'k' })])
    for await (const _ of orra.session(bob).watch({ signal, after: 0 })) break
    const quiet = orra.session(bob).watch({ signal })[Symbol.asyncIterator]()
    const next = quiet.next()
    await quiet.return?.()
    await next
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(timers()).toBe(before)
  })

  it('leaves no listener on the signal', async () => {
    const stop = new AbortController()
    const added = vi.spyOn(stop.signal, 'addEventListener')
    const removed = vi.spyOn(stop.signal, 'removeEventListener')
    const look = defineTool({ name: 'look', description: 'Looks.', timeoutMs: 1000, execute: () => 'seen' })
    const { orra } = scripted([{ toolCalls: [{ name: 'look' }, { name: 'look' }] }, 'Done.'], { tools: [look] })
    await orra.run(bob, 'Go', { signal: stop.signal })
    const listeners = new Set(added.mock.calls.map(([, listener]) => listener))
    for (const [, listener] of removed.mock.calls) listeners.delete(listener)
    expect(added).toHaveBeenCalled()
    expect([...listeners]).toEqual([])
  })
})

describe('closing a runtime', () => {
  it('leaves runs open, to be gone on with by another', async () => {
    const store = memoryStore()
    const asked = aSwitch()
    const one = createRuntime({
      store,
      provider: scriptedProvider([announced(asked, { text: 'Never', before: aSwitch().promise })]),
    })
    const running = codeOf(one.run(bob, 'Hello'))
    await asked.promise
    await one.close()
    expect(await running).toBe('runtime.closed')
    expect(await codeOf(one.run(bob, 'Hello?'))).toBe('runtime.closed')

    const { orra } = scripted(['Here I am.'], { store })
    expect((await orra.resume(bob))?.text).toBe('Here I am.')
    expect(await logOf(orra)).toEqual([
      'input: Hello',
      'run-started',
      'user: Hello',
      'assistant: Here I am.',
      'run-ended completed',
    ])
  })

  it('does not close its store', async () => {
    const store = memoryStore()
    await scripted([], { store }).orra.close()
    expect((await scripted(['Hi.'], { store }).orra.run(bob, 'Hello')).text).toBe('Hi.')
  })
})
