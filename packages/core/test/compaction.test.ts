import {
  createRuntime,
  deny,
  type Message,
  type ModelRequest,
  memoryStore,
  type Namespace,
  type RunEvent,
  type Runtime,
  type Store,
} from '@orra/core'
import { describe, expect, it, vi } from 'vitest'
import { alice, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'
import { isSummary, NARROW, question, said, talker } from './talk.ts'

async function ask(orra: Runtime, from: number, to: number, namespace = bob): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = []
  for (let index = from; index <= to; index += 1)
    events.push(...(await collect(orra.stream(namespace, question(index)))))
  return events
}

const compactions = async (orra: Runtime, namespace = bob) =>
  (await logOf(orra, namespace)).filter((line) => line.startsWith('compaction'))

const written = (orra: Runtime, count = 1) =>
  vi.waitFor(async () => expect(await compactions(orra)).toHaveLength(count))

describe('a conversation that grows', () => {
  it('is summed up after a run once it is time, and goes on with the summary in the place of its older turns', async () => {
    const { orra, asked } = talker()
    await ask(orra, 1, 9)
    await written(orra)
    await ask(orra, 10, 10)
    const next = asked().at(-1)
    expect(said(next as never)).toMatch(/Summary \d\./)
    expect(said(next as never)).not.toContain('Question 1?')
    expect(said(next as never)).toContain('Question 9?')
    expect(next?.messages[0]?.role).toBe('user')
    // All of it stays in the log.
    expect(await orra.session(bob).messages()).toHaveLength(20)
  })

  it('is summed up again and again, each summary with the one before, and never sends more than fits', async () => {
    const seen: string[] = []
    const { orra, asked } = talker({}, (request, count) => {
      seen.push(said(request))
      return `Summary ${count}.`
    })
    const events = await ask(orra, 1, 60)
    await orra[Symbol.asyncDispose]()
    expect(seen.length).toBeGreaterThan(4)
    for (const [index, text] of seen.entries()) if (index > 0) expect(text).toContain(`Summary ${index}.`)
    for (const event of events) {
      if (event.type !== 'model-call-start') continue
      expect(event.context.estimatedTokens).toBeLessThanOrEqual(1500)
      expect(event.context.droppedTurns).toBe(0)
    }
    expect(asked()).toHaveLength(60)
  })

  it('does not wait for its summary', async () => {
    const hanging = aSwitch()
    const { orra, asked } = talker({}, () => ({ text: 'Late.', before: hanging.promise }))
    await ask(orra, 1, 9)
    const head = await orra.session(bob).head()
    expect(head?.openRun).toBeUndefined()
    await ask(orra, 10, 10)
    expect(asked()).toHaveLength(10)
    hanging.on()
    await written(orra)
  })

  it('stays as it was when that fails, and tries again later, less often each time', async () => {
    const { orra, provider } = talker({}, () => ({ error: new Error('No.') }))
    await ask(orra, 1, 8)
    expect(await compactions(orra)).toEqual([])
    await ask(orra, 9, 40)
    const failed = provider.requests.filter(isSummary).length
    expect(failed).toBeGreaterThan(1)
    expect(failed).toBeLessThan(32)
    expect(await compactions(orra)).toEqual([])
  })

  it('is summed up before turns would be dropped, and the run tells of it', async () => {
    const { orra } = talker({ context: { ...NARROW, strategies: [{ type: 'compact', at: 1 }] } })
    const events = await ask(orra, 1, 14)
    const told = events.filter((event) => event.type === 'compaction')
    expect(told[0]?.summary).toMatch(/Summary \d\./)
    for (const event of events) if (event.type === 'model-call-start') expect(event.context.droppedTurns).toBe(0)
  })

  it('drops turns where that is not asked for, and where it fails', async () => {
    const plain = talker({ context: { ...NARROW, strategies: [] } })
    await ask(plain.orra, 1, 20)
    expect(plain.summaries).toBe(0)
    const failing = talker({}, () => ({ error: new Error('No.') }))
    for (const { orra, asked } of [plain, failing]) {
      if (orra === failing.orra) await ask(orra, 1, 20)
      const last = asked().at(-1)
      expect(said(last as never)).not.toContain('Question 1?')
      expect(said(last as never)).toContain('Question 20?')
    }
  })

  it('is summed up by the model that is chosen for it, in words that are chosen for it', async () => {
    const strategies = [{ type: 'compact', model: 'small', instructions: 'A summary in verse.' } as const]
    const { orra, provider } = talker({ context: { ...NARROW, strategies } })
    await ask(orra, 1, 9)
    await written(orra)
    expect(provider.requests.find(isSummary)).toMatchObject({ model: 'small', instructions: 'A summary in verse.' })
    const entry = (await entriesOf(orra)).find(({ type }) => type === 'compaction')
    expect(entry).toMatchObject({ model: 'small', usage: { inputTokens: expect.any(Number) } })
  })

  it('goes on without where that takes long, and says so', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const strategies = [{ type: 'compact', at: 1 } as const]
    const { orra } = talker({ context: { ...NARROW, strategies }, leaseTtlMs: 3_600_000 }, () => ({
      text: 'Late.',
      before: aSwitch().promise,
    }))
    const events: RunEvent[] = []
    for (let index = 1; index <= 14; index += 1) {
      let isDone = false
      const asking = ask(orra, index, index).finally(() => (isDone = true))
      while (!isDone) {
        await vi.advanceTimersByTimeAsync(1000)
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      events.push(...(await asking))
    }
    const failed = events.find((event) => event.type === 'compaction-failed')
    expect(failed?.error.code).toBe('context.not-compacted')
    expect(events.filter(({ type }) => type === 'run-end')).toHaveLength(14)
    await orra.close()
    vi.useRealTimers()
  })

  it('is summed up whole, whatever a model with a small window was sent of it last', async () => {
    const windowTokens = (model: string) => (model === 'small' ? 1500 : 6000)
    const seen: string[] = []
    const context = { windowTokens, outputReserveTokens: 500 }
    const { orra, asked } = talker({ context }, (request, count) => {
      seen.push(said(request))
      return `Summary ${count}.`
    })
    await ask(orra, 1, 20)
    await orra.run(bob, 'And in short?', { model: 'small' })
    await orra.run(bob, 'Shorter?', { model: 'small' })
    expect(await compactions(orra)).toEqual([])
    await orra.run(bob, 'And in full?')
    expect(said(asked().at(-1) as never)).toContain('Question 1?')
    await orra.compact(bob)
    for (let index = 1; index <= 20; index += 1) expect(seen.join('\n')).toContain(`Question ${index}?`)
  })

  it('is not summed up again and again because instructions and tools take much', async () => {
    const talk = talker({ instructions: 'Be kind. '.repeat(300) })
    await ask(talk.orra, 1, 60)
    await talk.orra.close()
    expect(talk.summaries).toBeLessThan(32)
  })

  it('has its summary seen by the hooks that see all that is sent and written', async () => {
    const hooks = {
      beforeModelCall: ({ request }: { readonly request: ModelRequest }) => ({
        request: { ...request, messages: JSON.parse(JSON.stringify(request.messages).replaceAll('4711', '****')) },
      }),
      beforeAppend: ({ message }: { readonly message: Message }) => ({
        message: JSON.parse(JSON.stringify(message).replaceAll('secret', '******')),
      }),
    }
    const { orra, provider } = talker({ hooks: [hooks] }, () => 'A secret.')
    await orra.run(bob, 'My number is 4711.')
    await ask(orra, 2, 3)
    expect(await orra.compact(bob)).toMatchObject({ summary: 'A ******.' })
    expect(JSON.stringify(provider.requests)).not.toContain('4711')
    const denied = talker({
      hooks: [{ beforeModelCall: ({ request }) => (isSummary(request) ? deny('No.') : undefined) }],
    })
    await ask(denied.orra, 1, 3)
    expect(await codeOf(denied.orra.compact(bob))).toBe('context.not-compacted')
  })

  it('keeps a summary that is too long within bounds, and takes none that is no shorter than what it stands for', async () => {
    const long = talker({}, () => 'far too long '.repeat(3000))
    await ask(long.orra, 1, 9)
    await vi.waitFor(() => expect(long.summaries).toBeGreaterThan(0))
    await ask(long.orra, 10, 12)
    for (const line of await compactions(long.orra)) expect(line.length).toBeLessThan(3000)
  })
})

async function entriesOf(orra: Runtime, namespace: Namespace = bob) {
  const entries = []
  for await (const { entry } of orra.session(namespace).entries()) entries.push(entry)
  return entries
}

describe('compact', () => {
  it('sums up all turns but the newest at once, and says what stands there now', async () => {
    const { orra, asked } = talker()
    await ask(orra, 1, 4)
    expect(await orra.compact(bob)).toEqual({ summary: 'Summary 1.', turns: 3 })
    expect(await orra.compact(bob)).toBeUndefined()
    await ask(orra, 5, 5)
    expect(asked().at(-1)?.messages).toHaveLength(4)
    expect(await orra.compact(bob)).toEqual({ summary: 'Summary 2.', turns: 4 })
  })

  it('finds nothing to do in a session that is new, or not there', async () => {
    const { orra } = talker()
    expect(await orra.compact(alice)).toBeUndefined()
    await ask(orra, 1, 1)
    expect(await orra.compact(bob)).toBeUndefined()
  })

  it('fails with what the model says, and changes nothing', async () => {
    const { orra } = talker({}, () => '   ')
    await ask(orra, 1, 3)
    const before = await logOf(orra)
    expect(await codeOf(orra.compact(bob))).toBe('context.not-compacted')
    expect(await logOf(orra)).toEqual(before)
  })

  it('may do no more than a run may', async () => {
    const denied = talker({
      context: { ...NARROW, strategies: [{ type: 'compact', model: 'small' }] },
      policies: { 'tenant:*': { models: { deny: ['small'] } } },
    })
    await ask(denied.orra, 1, 12)
    expect(await codeOf(denied.orra.compact(bob))).toBe('context.not-compacted')
    expect(denied.provider.requests.filter(isSummary)).toEqual([])
    const poor = talker({ policies: { 'tenant:*': { limits: { tokensPerDay: 40_000 } } } })
    await ask(poor.orra, 1, 3)
    expect(await codeOf(poor.orra.compact(bob))).toBe('nothing thrown')
  })

  it('is in the usage, and belongs to no run', async () => {
    const { orra } = talker()
    await ask(orra, 1, 3)
    await orra.compact(bob)
    const { runs, models, usage } = await orra.usage(bob, 'day')
    expect({ runs, calls: models['scripted-1']?.calls, output: usage.outputTokens }).toEqual({
      runs: 3,
      calls: 4,
      output: 20,
    })
  })

  it('writes nothing into a session that was made anew meanwhile', async () => {
    const hanging = aSwitch()
    const asked = aSwitch()
    const { orra } = talker({}, () => {
      asked.on()
      return { text: 'Of another session.', before: hanging.promise }
    })
    await ask(orra, 1, 3)
    const compacting = orra.compact(bob)
    await asked.promise
    await orra.session(bob).delete()
    await ask(orra, 1, 3)
    hanging.on()
    expect(await codeOf(compacting)).toBe('session.deleted')
    expect(await compactions(orra)).toEqual([])
    expect(await orra.session(bob).messages()).toHaveLength(6)
  })

  it('counts once when two processes do it', async () => {
    const store = memoryStore()
    const [one, two] = [talker({ store }), talker({ store })]
    await ask(one.orra, 1, 5)
    const [mine, theirs] = await Promise.all([one.orra.compact(bob), two.orra.compact(bob)])
    expect(mine).toEqual(theirs)
    expect(await compactions(one.orra)).toHaveLength(1)
    for (const { orra } of [one, two]) expect((await orra.preview(bob)).report.compactedTurns).toBe(4)
  })

  it('can be left', async () => {
    const asked = aSwitch()
    const { orra } = talker({}, () => {
      asked.on()
      return { text: 'Late.', before: aSwitch().promise }
    })
    await ask(orra, 1, 3)
    const stop = new AbortController()
    const compacting = orra.compact(bob, { signal: stop.signal })
    await asked.promise
    stop.abort(new Error('left'))
    await expect(compacting).rejects.toThrow('left')
    await orra.close()
    expect(await compactions(createRuntime({ provider: scripted([]).provider }))).toEqual([])
  })
})

describe('another process', () => {
  it('sends what this one would, and reads no more than comes after the summary', async () => {
    const store = memoryStore()
    const reads: number[] = []
    const counting: Store = {
      ...store,
      sessions: {
        ...store.sessions,
        read: async (...args) => {
          const read = await store.sessions.read(...args)
          reads.push(read.length)
          return read
        },
      },
    }
    const here = talker({ store })
    await ask(here.orra, 1, 30)
    await here.orra.compact(bob)
    await here.orra.session(bob).setMetadata({ title: 'Talk' })
    await ask(here.orra, 31, 31)
    const there = talker({ store: counting })
    const preview = await there.orra.preview(bob, { input: 'And?' })
    expect(preview).toEqual(await here.orra.preview(bob, { input: 'And?' }))
    expect(reads.reduce((sum, count) => sum + count, 0)).toBeLessThan(20)
    expect((await there.orra.run(bob, 'And?')).reason).toBe('completed')
  })

  it('reads all where something still waits that is older than the summary', async () => {
    const store = memoryStore()
    const here = talker({ store })
    await ask(here.orra, 1, 3)
    await here.orra.submit(bob, 'Waiting.', { key: 'waiting' })
    const log = store.sessions
    // A run of its own joins it later, so the inbox holds what was accepted before the end of a run.
    const { length = 0 } = (await log.head(bob)) ?? {}
    expect(length).toBeGreaterThan(0)
    await ask(here.orra, 4, 6)
    await here.orra.compact(bob)
    const there = talker({ store })
    expect((await there.orra.preview(bob)).report).toEqual((await here.orra.preview(bob)).report)
  })
})

describe('a copy', () => {
  it('begins as its original, summary and pins included', async () => {
    const { orra } = talker()
    await ask(orra, 1, 5)
    const seq = (await orra.session(bob).head())?.length ?? 0
    await orra.submit(bob, 'Never answered.', { key: 'x' })
    await orra.session(bob).pin(3)
    await orra.compact(bob)
    expect(seq).toBeGreaterThan(0)
    await orra.session(bob).fork(alice)
    const copied = await orra.preview(alice)
    expect(copied.report).toMatchObject({ compactedTurns: 4, sentTurns: 1 })
    const carol = alice.child('copy')
    await orra.session(carol).import(orra.session(alice).export())
    expect((await orra.preview(carol)).request).toEqual(copied.request)
  })
})

describe('a copy of a session', () => {
  it('in which messages interrupted others is sent what its original is', async () => {
    const hanging = aSwitch()
    const { orra } = scripted(
      [{ text: 'Never.', before: aSwitch().promise }, 'An answer.', 'Another.', 'A summary.', 'And so on.', 'Last.'],
      { context: { strategies: [] } },
    )
    const first = orra.run(bob, 'One')
    await vi.waitFor(async () => expect((await orra.session(bob).head())?.openRun).toBeDefined())
    await orra.run(bob, 'Two', { whenBusy: 'interrupt' })
    hanging.on()
    expect((await first).reason).toBe('aborted')
    await orra.run(bob, 'Three')
    await orra.session(bob).pin((await placesOf(orra, 'Two'))[0] ?? 0)
    await orra.compact(bob)
    await orra.run(bob, 'Four')
    await orra.session(bob).fork(alice)
    const carol = alice.child('carol')
    await orra.session(carol).import(orra.session(bob).export())
    const { request } = await orra.preview(bob)
    expect((await orra.preview(alice)).request).toEqual(request)
    expect((await orra.preview(carol)).request).toEqual(request)
    expect(JSON.stringify(request)).toContain('"Two"')
  })

  it('is refused where it says what nobody would have been let say', async () => {
    const { orra } = talker()
    await ask(orra, 1, 3)
    await orra.session(bob).pin(3)
    await orra.compact(bob)
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    const forged: readonly [string, (line: string) => string][] = [
      ['through', (line) => line.replace(/"through":\d+/, '"through":3')],
      ['after', (line) => line.replace(/"after":0/, '"after":2')],
      ['pins', (line) => line.replace(/"pins":\[\{"seq":\d+/, '"pins":[{"seq":99')],
      ['a blank pin', (line) => line.replace(/("type":"message-pinned".*"text":")[^"]+/, '$1 ')],
      ['from', (line) => line.replace(/"from":\d+/, '"from":999')],
      ['a fraction', (line) => line.replace(/"estimatedTokens":\d+/, '"estimatedTokens":1.5')],
    ]
    for (const [what, forge] of forged) {
      const changed = lines.map(forge)
      expect(changed, what).not.toEqual(lines)
      expect(await codeOf(orra.session(alice.child(what.replaceAll(' ', '-'))).import(changed)), what).toBe(
        'import.invalid',
      )
    }
    const withdrawn = JSON.stringify({
      type: 'entry',
      seq: 1,
      at: 0,
      entry: { type: 'input-withdrawn', input: 'none' },
    })
    const longer = [
      lines[0] as string,
      `${withdrawn}\n`,
      ...lines.slice(1, -1),
      lines.at(-1)?.replace(/\d+/, String(lines.length - 1)) as string,
    ]
    expect(await codeOf(orra.session(alice).import(longer))).toBe('import.invalid')
  })
})

/** Where somebody said this. */
async function placesOf(orra: Runtime, text: string): Promise<readonly number[]> {
  const places: number[] = []
  for await (const { seq, entry } of orra.session(bob).entries()) {
    if (
      entry.type === 'message' &&
      entry.message.role === 'user' &&
      JSON.stringify(entry.message).includes(`"${text}"`)
    )
      places.push(seq)
  }
  return places
}
