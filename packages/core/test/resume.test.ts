import { defineTool, type Entry, memoryStore, type RunEvent, type Store, type Tool } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { announced, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const hello = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const

/** What a process left behind that died in the middle; its lease has run out. */
async function leftBehind(...entries: readonly Entry[]): Promise<Store> {
  const store = memoryStore()
  await store.sessions.append(bob, [{ type: 'input', key: 'one', message: hello }])
  const lease = await store.sessions.claim(bob, { owner: 'dead', ttlMs: 60_000 })
  if (entries.length > 0 && lease) await store.sessions.append(bob, entries, { epoch: lease.epoch })
  await lease?.release()
  return store
}

const begun: readonly Entry[] = [
  { type: 'run-started', runId: 'r', input: 'one' },
  { type: 'message', message: hello, input: 'one' },
]
const asks = (...names: string[]): Entry => ({
  type: 'message',
  message: { role: 'assistant', content: names.map((name) => ({ type: 'tool-call', callId: name, name, input: {} })) },
  stopReason: 'tool-calls',
})

function counting(name: string, hints: Partial<Tool> = {}): { readonly tool: Tool; readonly ids: string[] } {
  const ids: string[] = []
  const execute = (_: unknown, { callId }: { callId: string }) => {
    ids.push(callId)
    return 'done'
  }
  return { tool: { ...defineTool({ name, description: name, execute }), ...hints }, ids }
}

describe('after a crash', () => {
  it('an accepted message is answered', async () => {
    const { orra } = scripted(['Hi.'], { store: await leftBehind() })
    expect((await orra.resume(bob))?.text).toBe('Hi.')
    expect((await logOf(orra)).slice(-2)).toEqual(['assistant: Hi.', 'run-ended completed'])
  })

  it('a run that had begun goes on under its own name', async () => {
    const { orra } = scripted(['Hi.'], { store: await leftBehind(...begun) })
    expect(await orra.resume(bob)).toMatchObject({ runId: 'r', text: 'Hi.' })
    expect((await logOf(orra)).filter((line) => line.startsWith('run-'))).toEqual([
      'run-started',
      'run-ended completed',
    ])
  })

  it('a reply that was the last is not asked for again', async () => {
    const reply = { role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] } as const
    const { orra, provider } = scripted([], {
      store: await leftBehind(...begun, { type: 'message', message: reply, stopReason: 'length' }),
    })
    expect(await orra.resume(bob)).toMatchObject({ reason: 'length', text: 'Hi.' })
    expect(provider.requests).toHaveLength(0)
  })

  it('calls that had not begun are run, once, with their own ids', async () => {
    const { tool, ids } = counting('act')
    const { orra } = scripted(['Done.'], { tools: [tool], store: await leftBehind(...begun, asks('act')) })
    await orra.resume(bob)
    expect(ids).toEqual(['act'])
  })

  it('a call with effects that had begun is not begun again, and the model is told', async () => {
    const { tool, ids } = counting('act')
    const store = await leftBehind(...begun, asks('act'), { type: 'tool-started', callId: 'act' })
    const { orra } = scripted(['I will look.'], { tools: [tool], store })
    await orra.resume(bob)
    expect(ids).toEqual([])
    expect(await logOf(orra)).toContain(
      'tool: error act: It was begun and then interrupted; nobody knows whether it took effect. Look before you try again.',
    )
  })

  it.each([{ readOnly: true }, { idempotent: true }])('a call that may run again does: %o', async (hints) => {
    const { tool, ids } = counting('act', hints)
    const store = await leftBehind(...begun, asks('act'), { type: 'tool-started', callId: 'act' })
    await scripted(['Done.'], { tools: [tool], store }).orra.resume(bob)
    expect(ids).toEqual(['act'])
  })

  const reconciling = (reconcile: Tool['reconcile'], hints: Partial<Tool> = {}) => {
    const { tool, ids } = counting('act', hints)
    return { tool: { ...tool, ...(reconcile ? { reconcile } : {}) }, ids }
  }
  const started = () => leftBehind(...begun, asks('act'), { type: 'tool-started', callId: 'act' })

  it('a tool that can find out what came of a call is asked, and not begun again', async () => {
    const asked: string[] = []
    const { tool, ids } = reconciling((_, { callId }) => {
      asked.push(callId)
      return 'it was sent'
    })
    const { orra } = scripted(['Good.'], { tools: [tool], store: await started() })
    await orra.resume(bob)
    expect([ids, asked]).toEqual([[], ['act']])
    expect(await logOf(orra)).toContain('tool: result act: it was sent')
  })

  it('a call that surely came to nothing is begun again, without a second mark', async () => {
    const { tool, ids } = reconciling(() => undefined)
    const { orra } = scripted(['Good.'], { tools: [tool], store: await started() })
    await orra.resume(bob)
    expect(ids).toEqual(['act'])
    expect((await logOf(orra)).filter((line) => line.startsWith('tool-started'))).toHaveLength(1)
  })

  it('a tool that cannot find out leaves it unknown', async () => {
    const { tool, ids } = reconciling(() => {
      throw new Error('no answer')
    })
    const { orra } = scripted(['I will look.'], { tools: [tool], store: await started() })
    await orra.resume(bob)
    expect(ids).toEqual([])
    expect((await logOf(orra)).find((line) => line.startsWith('tool: error'))).toContain('nobody knows')
  })

  it.each<[string, Partial<Parameters<typeof scripted>[1]>]>([
    ['denied by a policy', { policies: { '*': { tools: { deny: ['act'] } } } }],
    ['denied by a hook', { hooks: [{ beforeToolCall: () => ({ deny: 'Not after six.' }) }] }],
    [
      'failed by a hook',
      {
        hooks: [
          {
            beforeToolCall: () => {
              throw new Error('hook')
            },
          },
        ],
      },
    ],
  ])('a call that had begun and is then %s is said to be unknown', async (_, options) => {
    const { tool } = reconciling(() => 'it was sent')
    const { orra } = scripted(['I will look.'], { tools: [tool], store: await started(), ...options })
    await orra.resume(bob)
    expect((await logOf(orra)).find((line) => line.startsWith('tool: error'))).toContain('nobody knows')
  })

  it('a tool that finds out nothing that is a result leaves it unknown', async () => {
    const { tool } = reconciling((() => null) as never)
    const { orra } = scripted(['I will look.'], { tools: [tool], store: await started() })
    await orra.resume(bob)
    expect((await logOf(orra)).find((line) => line.startsWith('tool: error'))).toContain('nobody knows')
  })

  it('a call that had not begun is not asked about', async () => {
    const { tool, ids } = reconciling(() => 'never')
    const { orra } = scripted(['Good.'], { tools: [tool], store: await leftBehind(...begun, asks('act')) })
    await orra.resume(bob)
    expect(ids).toEqual(['act'])
    expect(await logOf(orra)).toContain('tool: result act: done')
  })

  it('results that were there stay, and only the others are made', async () => {
    const [one, two] = [counting('one'), counting('two')]
    const result: Entry = {
      type: 'message',
      message: { role: 'tool', content: [{ type: 'tool-result', callId: 'one', name: 'one', content: [] }] },
    }
    const store = await leftBehind(...begun, asks('one', 'two'), result)
    await scripted(['Done.'], { tools: [one.tool, two.tool], store }).orra.resume(bob)
    expect([one.ids, two.ids]).toEqual([[], ['two']])
  })

  it('a call is gated as of now', async () => {
    const { tool, ids } = counting('act')
    const store = await leftBehind(...begun, asks('act'))
    const { orra } = scripted(['Ah.'], { tools: [tool], store, policies: { '*': { tools: { deny: ['act'] } } } })
    await orra.resume(bob)
    expect(ids).toEqual([])
  })

  it('the next message finds everything finished first', async () => {
    const { orra, provider } = scripted(['First.', 'Second.'], { store: await leftBehind(...begun) })
    const events = await collect(orra.stream(bob, 'And now?'))
    expect(events.filter(({ type }) => type === 'run-start')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ text: 'Second.' })
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  })

  it('nothing open is nothing to do', async () => {
    const { orra } = scripted(['Hi.'])
    expect(await orra.resume(bob)).toBeUndefined()
    await orra.run(bob, 'Hello')
    expect(await orra.resume(bob)).toBeUndefined()
  })

  it('whoever resumes is told what happens, and may stop it', async () => {
    const { orra } = scripted([{ text: 'one two', after: aSwitch().promise }], { store: await leftBehind(...begun) })
    const stop = new AbortController()
    const types: RunEvent['type'][] = []
    const onEvent = ({ type }: RunEvent) => {
      types.push(type)
      if (types.filter((seen) => seen === 'text-delta').length === 2) stop.abort()
    }
    expect(await orra.resume(bob, { signal: stop.signal, onEvent })).toMatchObject({
      reason: 'aborted',
      text: 'one two',
    })
    expect(types).toEqual(['run-start', 'model-call-start', 'text-delta', 'text-delta', 'run-end'])
  })
})

describe('a lease that is lost', () => {
  it('stops the run at once, without an end in the log; the caller gets the other’s answer', async () => {
    let time = 1_700_000_000_000
    const store = memoryStore({ now: () => time })
    const asked = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'Mine', before: aSwitch().promise })], {
      store,
      leaseTtlMs: 100,
    })
    const running = orra.run(bob, 'Hello')
    await asked.promise
    time += 1000
    const other = await store.sessions.claim(bob, { owner: 'other', ttlMs: 60_000 })
    if (!other) throw new Error('The lease had run out.')
    const reply = { role: 'assistant', content: [{ type: 'text', text: 'Theirs' }] } as const
    const { runId = '' } = (await store.sessions.head(bob))?.openRun ?? {}
    const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
    const end: Entry = { type: 'run-ended', runId, reason: 'completed', usage }
    await store.sessions.append(bob, [{ type: 'message', message: reply }, end], { epoch: other.epoch })
    await other.release()
    expect((await running).text).toBe('Theirs')
    expect((await logOf(orra)).slice(-2)).toEqual(['assistant: Theirs', 'run-ended completed'])
  })
})

describe('a session that is deleted', () => {
  it('begins anew, whoever deleted it', async () => {
    const store = memoryStore()
    const { orra, provider } = scripted(['One.', 'Two.', 'Three.'], { store })
    await orra.run(bob, '1')
    await store.sessions.delete(bob)
    await orra.run(bob, '2')
    expect(await orra.session(bob).delete()).toBe(true)
    await orra.run(bob, '3')
    expect(provider.requests.map(({ messages }) => messages.length)).toEqual([1, 1, 1])
  })

  it('under a run ends the run', async () => {
    const store = memoryStore()
    const asked = aSwitch()
    const go = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'Hi', before: go.promise })], { store })
    const running = orra.run(bob, 'Hello')
    await asked.promise
    await orra.session(bob).delete()
    go.on()
    expect(await codeOf(running)).toBe('session.deleted')
    expect(await orra.session(bob).messages()).toEqual([])
  })
})
