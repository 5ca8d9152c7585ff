import { scriptedProvider } from '@orra/conformance'
import {
  createRuntime,
  defineTool,
  memoryStore,
  OrraError,
  type Provider,
  type SessionLog,
  type Store,
  type Tool,
} from '@orra/core'
import { describe, expect, it, vi } from 'vitest'
import { announced, aSwitch, bob, codeOf, logOf, scripted } from './harness.ts'

// What tools, hooks, models and callers do that they should not, and what must not come of it.

const never = new Promise<never>(() => {})
const hello = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
const fenced = () => new OrraError('store.fenced', 'Elsewhere.', { details: { namespace: 'elsewhere' } })

function tool(name: string, execute: Tool['execute'], hints: Partial<Tool> = {}): Tool {
  return { ...defineTool({ name, description: name, execute: execute as never }), ...hints }
}

/** A store that counts its claims and gives up after many, so that a loop without end ends. */
function counting(store: Store = memoryStore()) {
  const counts = { claims: 0 }
  const claim: SessionLog['claim'] = async (...args) => {
    counts.claims += 1
    if (counts.claims > 50)
      throw new OrraError('store.unusable', 'Too many claims.', { details: { store: '', problem: '' } })
    return store.sessions.claim(...args)
  }
  return { counts, store: { ...store, sessions: { ...store.sessions, claim } } satisfies Store }
}

describe('what a tool gives that is no result', () => {
  const circle: unknown[] = []
  circle.push({ type: 'text', text: 'x', more: circle })

  it.each([
    ['a part without its text', [{ type: 'text' }]],
    ['no part', [null]],
    ['text that is none', [{ type: 'text', text: 5 }]],
    ['a list of text', ['hello']],
    ['what JSON cannot hold', [{ type: 'text', text: 'x', more: 1n }]],
    ['a circle', circle],
  ])('is an error result, and the session goes on: %s', async (_, output) => {
    const store = memoryStore()
    const { orra } = scripted([{ toolCalls: [{ name: 'bad' }] }, 'Oh.'], {
      store,
      tools: [tool('bad', () => output as never)],
    })
    expect((await orra.run(bob, 'Go')).text).toBe('Oh.')
    expect((await logOf(orra)).filter((line) => line.startsWith('tool: error'))).toHaveLength(1)
    expect((await scripted(['Later.'], { store }).orra.run(bob, 'Again')).text).toBe('Later.')
  })

  it('is an error result even when its message is no text', async () => {
    const bad = tool('bad', () => {
      throw Object.assign(new Error(), { message: { secret: 1 } })
    })
    const { orra } = scripted([{ toolCalls: [{ name: 'bad' }] }, 'Oh.'], { tools: [bad] })
    expect((await orra.run(bob, 'Go')).text).toBe('Oh.')
  })

  it('is one even when it looks like an error of orra’s own', async () => {
    for (const code of ['store.fenced', 'store.unusable', 'runtime.closed'] as const) {
      const bad = tool('bad', () => {
        throw new OrraError(code, 'Elsewhere.', { details: {} as never })
      })
      const { counts, store } = counting()
      const { orra } = scripted([{ toolCalls: [{ name: 'bad' }] }, 'Oh.'], { tools: [bad], store })
      expect((await orra.run(bob, 'Go')).text).toBe('Oh.')
      expect(counts.claims).toBe(1)
    }
  })
})

describe('what a tool changes', () => {
  it('of its input is not what the model is told it wrote', async () => {
    const greedy = tool('greedy', (input) => {
      ;(input as { list: string[] }).list.push('more')
      return 'ok'
    })
    const call = { name: 'greedy', input: { list: ['one'] } }
    const { orra, provider } = scripted([{ toolCalls: [call] }, 'Done.'], { tools: [greedy] })
    await orra.run(bob, 'Go')
    expect(JSON.stringify(provider.requests[1])).not.toContain('more')
  })

  it('of its output, or a caller of its message, afterwards, changes nothing', async () => {
    const output = [{ type: 'text', text: 'before' }]
    const message = [{ type: 'text', text: 'asked' }] as const
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'late' }] }, 'One.', 'Two.'], {
      tools: [tool('late', () => output as never)],
    })
    await orra.run(bob, message)
    Object.assign(output[0] as object, { text: 'after' })
    Object.assign(message[0], { text: 'after' })
    await orra.run(bob, 'Again')
    expect(JSON.stringify(provider.requests[2])).not.toContain('after')
  })
})

describe('a reply that is none', () => {
  const finish = {
    type: 'finish',
    stopReason: 'stop',
    model: 'm',
    usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
  }
  let deep: unknown = 'bottom'
  for (let depth = 0; depth < 5000; depth += 1) deep = [deep]

  it.each([
    ['no stop reason that there is', { stopReason: 'nonsense' }],
    ['no usage', { usage: {} }],
    ['no model', { model: 7 }],
  ])('has %s', async (_, odd) => {
    const message = { role: 'assistant', content: [] }
    const provider: Provider = {
      name: 'odd',
      model: 'odd-1',
      async *stream() {
        yield { ...finish, message, ...odd } as never
      },
    }
    expect(await codeOf(createRuntime({ provider }).run(bob, 'Go'))).toBe('provider.bad-reply')
  })

  it.each([
    ['with a call without input', { role: 'assistant', content: [{ type: 'tool-call', callId: 'c', name: 'x' }] }],
    ['of another role', { role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    ['without content', { role: 'assistant' }],
    ['with junk in it', { role: 'assistant', content: [null] }],
    [
      'with input nested past all reason',
      { role: 'assistant', content: [{ type: 'tool-call', callId: 'c', name: 'x', input: deep }] },
    ],
  ])('fails the run, and the session goes on: %s', async (_, message) => {
    const store = memoryStore()
    const provider: Provider = {
      name: 'odd',
      model: 'odd-1',
      async *stream() {
        yield { ...finish, message } as never
      },
    }
    expect(await codeOf(createRuntime({ provider, store }).run(bob, 'Go'))).toBe('provider.bad-reply')
    expect((await scripted(['Later.'], { store }).orra.run(bob, 'Again')).text).toBe('Later.')
  })
})

describe('a caller', () => {
  it('whose reason to stop looks like a lost lease is stopped, and that is all', async () => {
    const { counts, store } = counting()
    const asked = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'Late', before: never })], { store })
    const stop = new AbortController()
    const running = orra.run(bob, 'Go', { signal: stop.signal })
    await asked.promise
    stop.abort(fenced())
    expect((await running).reason).toBe('aborted')
    expect(counts.claims).toBe(1)
  })

  it('who leaves while another process answers is gone at once, and that process stops', async () => {
    const store = memoryStore()
    const [asked, go] = [aSwitch(), aSwitch()]
    const look = tool('look', () => 'seen', { readOnly: true })
    const one = scripted([announced(asked, { toolCalls: [{ name: 'look' }], before: go.promise })], {
      store,
      tools: [look],
    })
    const two = scripted([], { store })
    await store.sessions.append(bob, [{ type: 'input', key: 'k', message: hello }])
    const answering = one.orra.resume(bob)
    await asked.promise
    const stop = new AbortController()
    const left = two.orra.run(bob, 'Mine', { signal: stop.signal })
    await vi.waitUntil(async () => (await store.sessions.head(bob))?.inbox.length === 1)
    stop.abort()
    expect((await left).reason).toBe('aborted')
    await two.orra.session(bob).entries()
    await store.sessions.append(bob, [{ type: 'input-withdrawn', input: 'k' }])
    go.on()
    expect((await answering)?.reason).toBe('aborted')
    expect((await logOf(one.orra)).slice(-2)).toEqual([
      'tool: error call-1: It was not run to its end: the run was stopped.',
      'run-ended aborted',
    ])
  })

  it('who only resumes cannot take back what others have said', async () => {
    const store = memoryStore()
    const [asked, go] = [aSwitch(), aSwitch()]
    const { orra } = scripted([announced(asked, { text: 'One.', before: go.promise }), 'Two.'], { store })
    const running = orra.run(bob, 'One')
    await asked.promise
    await store.sessions.append(bob, [{ type: 'input', key: 'theirs', message: hello }])
    const stop = new AbortController()
    const resumed = orra.resume(bob, { signal: stop.signal })
    await vi.waitUntil(async () => (await store.sessions.head(bob))?.inbox.length === 1)
    stop.abort()
    expect(await resumed).toBeUndefined()
    go.on()
    await running
    expect(await logOf(orra)).not.toContain('withdrawn')
    expect((await scripted(['Two.'], { store }).orra.resume(bob))?.text).toBe('Two.')
  })

  it('whose watcher throws is told so, and nobody else', async () => {
    const store = memoryStore()
    await store.sessions.append(bob, [{ type: 'input', key: 'k', message: hello }])
    const { orra } = scripted(['One.', 'Two.'], { store })
    const onEvent = () => {
      throw new Error('watcher')
    }
    const [resumed, run] = await Promise.allSettled([orra.resume(bob, { onEvent }), orra.run(bob, 'Go')])
    expect(resumed).toMatchObject({ status: 'rejected', reason: { message: 'watcher' } })
    expect(run).toMatchObject({ status: 'fulfilled', value: { text: 'Two.' } })
  })

  it('who resumes what then fails is told', async () => {
    const store = memoryStore()
    await store.sessions.append(bob, [{ type: 'input', key: 'k', message: hello }])
    expect(await codeOf(scripted([{ error: new Error('x') }], { store }).orra.resume(bob))).toBe('unknown')
  })

  it('who leaves while an event is awaited stops the run', async () => {
    const { orra } = scripted([{ text: 'Late', before: never }])
    const events = orra.stream(bob, 'Go')[Symbol.asyncIterator]()
    await events.next()
    await events.next()
    const pending = events.next()
    await events.return?.()
    expect(await pending).toEqual({
      done: false,
      value: expect.objectContaining({ type: 'run-end', reason: 'aborted' }),
    })
  })
})

describe('a session that is deleted and made anew', () => {
  it('fails whoever waited in the old one, and hangs nobody', async () => {
    const [asked, go] = [aSwitch(), aSwitch()]
    const { orra } = scripted([announced(asked, { text: 'One.', before: go.promise }), 'Two.'])
    const one = codeOf(orra.run(bob, '1'))
    await asked.promise
    await orra.session(bob).delete()
    const two = orra.run(bob, '2')
    go.on()
    expect(await one).toBe('session.deleted')
    expect((await two).text).toBe('Two.')
  })

  it('keeps what others say in it from those who leave the old one', async () => {
    const store = memoryStore()
    await store.sessions.claim(bob, { owner: 'other', ttlMs: 60_000 })
    const { orra } = scripted([], { store })
    const stop = new AbortController()
    const left = orra.run(bob, 'x', { signal: stop.signal })
    await vi.waitUntil(async () => (await store.sessions.head(bob))?.inbox.length === 1)
    await store.sessions.delete(bob)
    await store.sessions.append(bob, [{ type: 'input', key: 'theirs', message: hello }])
    stop.abort()
    await left
    expect((await store.sessions.head(bob))?.inbox).toEqual(['theirs'])
  })

  it('tells the model nothing of the old one', async () => {
    const store = memoryStore()
    const { orra, provider } = scripted(['I know.', 'Hi.'], { store })
    await orra.run(bob, 'OLD SECRET')
    await store.sessions.delete(bob)
    const inputs = Array.from(
      { length: 9 },
      (_, index) => ({ type: 'input', key: `${index}`, message: hello }) as const,
    )
    await store.sessions.append(bob, inputs)
    for (const { key } of inputs.slice(1)) await store.sessions.append(bob, [{ type: 'input-withdrawn', input: key }])
    await orra.resume(bob)
    expect(JSON.stringify(provider.requests[1])).not.toContain('SECRET')
    expect(provider.requests[1]?.messages).toHaveLength(1)
  })
})

describe('a call that may have taken effect', () => {
  const begun = async (name: string) => {
    const store = memoryStore()
    await store.sessions.append(bob, [{ type: 'input', key: 'k', message: hello }])
    const lease = await store.sessions.claim(bob, { owner: 'dead', ttlMs: 1000 })
    const call = { type: 'tool-call', callId: 'c', name, input: {} } as const
    const entries = [
      { type: 'run-started', runId: 'r', input: 'k' },
      { type: 'message', message: hello, input: 'k' },
      { type: 'message', message: { role: 'assistant', content: [call] }, stopReason: 'tool-calls' },
      { type: 'tool-started', callId: 'c' },
    ] as const
    if (lease) await store.sessions.append(bob, entries, { epoch: lease.epoch })
    await lease?.release()
    return store
  }

  it.each([
    ['is now denied', [tool('act', () => 'done', { idempotent: true })], { '*': { tools: { deny: ['act'] } } }],
    ['is now unknown', [], {}],
  ])('is called so, even when its tool %s', async (_, tools, policies) => {
    const { orra } = scripted(['I will look.'], { store: await begun('act'), tools, policies })
    await orra.resume(bob)
    expect((await logOf(orra)).find((line) => line.startsWith('tool: error'))).toContain(
      'nobody knows whether it took effect',
    )
  })

  it('is called so when it was stopped half-way, though it is idempotent', async () => {
    const stop = new AbortController()
    const half = tool(
      'half',
      () => {
        stop.abort()
        return never
      },
      { idempotent: true },
    )
    const { orra } = scripted([{ toolCalls: [{ name: 'half' }] }], { tools: [half] })
    await orra.run(bob, 'Go', { signal: stop.signal })
    expect(await logOf(orra)).toContain(
      'tool: error call-1: It was stopped while it ran; nobody knows how far it came.',
    )
  })

  it('is not begun once the run was stopped', async () => {
    const stop = new AbortController()
    let ran = false
    const act = tool('act', () => {
      ran = true
      return 'done'
    })
    const hooks = [{ beforeToolCall: () => stop.abort() }]
    const { orra } = scripted([{ toolCalls: [{ name: 'act' }] }], { tools: [act], hooks })
    await orra.run(bob, 'Go', { signal: stop.signal })
    expect(ran).toBe(false)
  })
})

describe('a hook', () => {
  it('that cannot bear one message fails that one, and no other', async () => {
    const refuse = ({ message }: { message: { content: readonly object[] } }) => {
      if (JSON.stringify(message).includes('poison')) throw new Error('boom')
    }
    const { orra } = scripted(['Fine.', 'poison', 'Good.'], { hooks: [{ beforeAppend: refuse }] })
    expect(await codeOf(orra.run(bob, 'poison'))).toBe('hook.failed')
    expect((await orra.run(bob, 'Hello')).text).toBe('Fine.')
    expect(await codeOf(orra.run(bob, 'Say it'))).toBe('hook.failed')
    expect((await orra.run(bob, 'And now?')).text).toBe('Good.')
  })

  it.each([
    'runStart',
    'beforeModelCall',
    'afterModelCall',
    'beforeToolCall',
    'afterToolCall',
    'beforeAppend',
  ] as const)('that never answers at %s does not keep a run from being stopped', async (point) => {
    const reached = aSwitch()
    let calls = 0
    const deaf = () => {
      calls += 1
      // The first time a message is written is its acceptance, before there is a run.
      if (point === 'beforeAppend' && calls === 1) return undefined
      reached.on()
      return never
    }
    const look = tool('look', () => 'seen', { readOnly: true })
    const { orra } = scripted([{ toolCalls: [{ name: 'look' }] }, 'Done.'], {
      tools: [look],
      hooks: [{ [point]: deaf }],
    })
    const stop = new AbortController()
    const running = orra.run(bob, 'Go', { signal: stop.signal })
    await reached.promise
    stop.abort()
    expect((await running).reason).toBe('aborted')
  })

  it('that never answers after the run was stopped has a moment, and no more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      for (const point of ['beforeAppend', 'runEnd'] as const) {
        const stop = new AbortController()
        const stopped = aSwitch()
        const deaf = () => (stop.signal.aborted ? never : undefined)
        const { orra } = scripted([{ text: 'one two', after: never }], { hooks: [{ [point]: deaf }] })
        const events: string[] = []
        const read = async () => {
          for await (const { type } of orra.stream(bob, 'Go', { signal: stop.signal })) {
            events.push(type)
            if (events.filter((seen) => seen === 'text-delta').length < 2 || stop.signal.aborted) continue
            stop.abort()
            stopped.on()
          }
        }
        const reading = read()
        await stopped.promise
        await vi.advanceTimersByTimeAsync(1000)
        await reading
        expect(events.at(-1)).toBe('run-end')
        // What a hook could not see is not written.
        const log = await logOf(orra)
        expect(log.includes('assistant: one two')).toBe(point === 'runEnd')
        expect(log.at(-1)).toBe('run-ended aborted')
        expect(vi.getTimerCount()).toBe(0)
      }
    } finally {
      vi.useRealTimers()
    }
  })

  it('that throws because the run was stopped does not hide that it was', async () => {
    const stop = new AbortController()
    const runStart = ({ signal }: { signal: AbortSignal }) => {
      stop.abort()
      signal.throwIfAborted()
    }
    const { orra } = scripted([], { hooks: [{ runStart }] })
    expect((await orra.run(bob, 'Go', { signal: stop.signal })).reason).toBe('aborted')
  })
})

describe('instructions and schemas that never come', () => {
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'deaf',
      validate: () => never,
      jsonSchema: { input: () => ({ type: 'object' }), output: () => ({ type: 'object' }) },
    },
  } as const

  it.each([
    ['instructions', { instructions: () => never }],
    ['a schema', { tools: [{ ...tool('deaf', () => ''), input: schema }] }],
  ])('do not keep a run from being stopped, nor a runtime from closing: %s', async (_, options) => {
    for (const how of ['stop', 'close'] as const) {
      const asked = aSwitch()
      const { orra } = scripted([{ toolCalls: [{ name: 'deaf' }] }], {
        ...options,
        hooks: [{ sessionLoaded: asked.on }],
      })
      const stop = new AbortController()
      const running = orra.run(bob, 'Go', { signal: stop.signal }).then(
        ({ reason }) => reason,
        (error) => error.code,
      )
      await asked.promise
      await new Promise(setImmediate)
      if (how === 'stop') stop.abort()
      else await orra.close()
      expect(await running).toBe(how === 'stop' ? 'aborted' : 'runtime.closed')
    }
  })
})

describe('closing', () => {
  it('waits for what is being written', async () => {
    const store = memoryStore()
    const [reached, go] = [aSwitch(), aSwitch()]
    let written = false
    const append: SessionLog['append'] = async (...args) => {
      reached.on()
      await go.promise
      written = true
      return store.sessions.append(...args)
    }
    const orra = createRuntime({
      provider: scriptedProvider([]),
      store: { ...store, sessions: { ...store.sessions, append } },
    })
    const running = codeOf(orra.run(bob, 'Go'))
    await reached.promise
    const closed = orra.close()
    go.on()
    await closed
    expect(written).toBe(true)
    expect(await running).toBe('runtime.closed')
  })
})

describe('numbers that timers cannot hold', () => {
  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 0, -1, Number.NaN])('are refused: %s', async (ms) => {
    expect(await codeOf(() => scripted([], { tools: [tool('x', () => '', { timeoutMs: ms })] }))).toBe('tool.invalid')
    expect(await codeOf(() => scripted([], { leaseTtlMs: ms }))).toBe('options.invalid')
  })
})
