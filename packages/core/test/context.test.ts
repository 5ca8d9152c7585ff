import { defineTool, type Message, type ModelRequest, memoryStore, OrraError, type RunEvent, textOf } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { alice, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'
import { NARROW, question, said, talker } from './talk.ts'

const tooLong = () => new OrraError('provider.context-too-long', 'Too long.', { details: { provider: 'scripted' } })

const LINES = Array.from({ length: 3000 }, (_, index) => `Line ${index} of the report.`).join('\n')
const report = defineTool({ name: 'report', description: 'Gives a report.', readOnly: true, execute: () => LINES })

function lastResult(request: ModelRequest | undefined): string {
  const message = request?.messages.findLast((one) => one.role === 'tool')
  return message ? message.content.map(({ content }) => textOf(content)).join('') : ''
}

const contextsOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'model-call-start' ? event.context : []))

describe('a large tool result', () => {
  it('is sent with its beginning and its end, says what is missing, and stays whole in the log', async () => {
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'report' }] }, 'Read.'], { tools: [report] })
    const events = await collect(orra.stream(bob, 'Report!'))
    const shown = lastResult(provider.requests[1])
    expect(shown).toMatch(/^Line 0 of the report\.\nLine 1/)
    expect(shown).toMatch(/Line 2999 of the report\.$/)
    expect(shown).toMatch(
      /\d+ characters are left out here; read_result\(\{"result":\d+,"offset":\d+\}\) reads on there/,
    )
    expect(shown.length).toBeLessThan(LINES.length / 2)
    expect(contextsOf(events)[1]).toMatchObject({ clippedResults: 1, droppedResults: 0 })
    expect((await logOf(orra)).find((line) => line.startsWith('tool: result'))).toContain('Line 1500 of')
  })

  it('can be read by the model, page by page, to its last character', async () => {
    let page = ''
    let read = ''
    const steps = Array.from({ length: 60 }, () => ({ messages }: ModelRequest) => {
      page = lastResult({ messages, tools: [] })
      const result = /"result":(\d+)/.exec(JSON.stringify(messages).replaceAll('\\"', '"'))?.[1]
      if (page === '') return { toolCalls: [{ name: 'report' }] }
      const follows = /\n\[… \d+ characters follow, from the offset (\d+) on\]$/.exec(page)
      if (messages.length > 3) read += page.slice(0, follows?.index)
      if (messages.length > 3 && !follows) return 'Read.'
      const offset = Number(follows?.[1] ?? 0)
      return { toolCalls: [{ name: 'read_result', input: { result: Number(result), offset } }] }
    })
    const context = { strategies: [{ type: 'clip-results', maxTokens: 2000 }] } as const
    const { orra } = scripted(steps, { tools: [report], context })
    expect((await orra.run(bob, 'Read all of it.', { maxTurns: 60 })).reason).toBe('completed')
    expect(read).toBe(LINES)
  })

  it('of images is clipped, too, and read in whole characters', async () => {
    const image = { type: 'image', mediaType: 'image/png', data: 'aGk=' } as const
    const album = defineTool({
      name: 'album',
      description: 'Images.',
      readOnly: true,
      execute: () => Array(40).fill(image),
    })
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'album' }] }, 'Seen.'], { tools: [album] })
    await orra.run(bob, 'Album!')
    const sent = provider.requests[1]?.messages
      .at(-1)
      ?.content.flatMap((part) => (part.type === 'tool-result' ? part.content : []))
    expect(sent?.filter(({ type }) => type === 'image').length).toBeLessThan(10)
    const family = '👩‍👩‍👧‍👦'.repeat(400)
    const people = defineTool({ name: 'people', description: 'People.', readOnly: true, execute: () => family })
    let offset = 0
    let read = ''
    const steps = [
      { toolCalls: [{ name: 'people' }] },
      ...Array.from({ length: 400 }, () => ({ messages }: ModelRequest) => {
        const text = lastResult({ messages, tools: [] })
        const follows = /\n\[… \d+ characters follow, from the offset (\d+) on\]$/.exec(text)
        if (messages.length > 3) read += text.slice(0, follows?.index)
        if (messages.length > 3 && !follows) return 'Read.'
        offset = Number(follows?.[1] ?? 0)
        return { toolCalls: [{ name: 'read_result', input: { result: 5, offset } }] }
      }),
    ]
    const small = scripted(steps, {
      tools: [people],
      context: { strategies: [{ type: 'clip-results', maxTokens: 100 }] },
    })
    expect((await small.orra.run(bob, 'People!', { maxTurns: 400 })).reason).toBe('completed')
    expect(read).toBe(family)
  })

  it('is read from the own session only', async () => {
    const store = memoryStore()
    const first = scripted([{ toolCalls: [{ name: 'report' }] }, 'Read.'], { tools: [report], store })
    await first.orra.run(alice, 'Report!')
    const numbers = Array.from({ length: 12 }, (_, index) => index + 1)
    const toolCalls = numbers.map((result) => ({ name: 'read_result', input: { result } }))
    const { orra } = scripted([{ toolCalls }, 'Nothing.'], { tools: [report], store })
    await orra.run(bob, 'What does alice have?')
    const results = (await logOf(orra)).filter((line) => line.startsWith('tool:'))
    expect(results).toHaveLength(12)
    for (const line of results) expect(line).toMatch(/^tool: error .* There is no result \d+ in this conversation\./)
  })

  it('is not said to be readable where a policy is against that', async () => {
    const policies = { 'tenant:*': { tools: { deny: ['read_result'] } } }
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'report' }] }, 'Read.'], { tools: [report], policies })
    await orra.run(bob, 'Report!')
    expect(provider.requests[1]?.tools.map(({ name }) => name)).toEqual(['report'])
    expect(lastResult(provider.requests[1])).toMatch(/\d+ characters are left out here …/)
  })

  it('is sent whole where nothing is to be clipped', async () => {
    const context = { strategies: [] }
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'report' }] }, 'Read.'], { tools: [report], context })
    await orra.run(bob, 'Report!')
    expect(lastResult(provider.requests[1])).toBe(LINES)
    expect(provider.requests[1]?.tools.map(({ name }) => name)).toEqual(['report'])
  })
})

describe('old tool results', () => {
  it('are left out before any turn is, oldest first, and those of the newest step never', async () => {
    const page = defineTool({
      name: 'page',
      description: 'A page.',
      readOnly: true,
      execute: () => 'A line. '.repeat(80),
    })
    const steps = Array.from({ length: 24 }, (_, index) =>
      index % 2 === 0 ? { toolCalls: [{ name: 'page' }] } : 'Read.',
    )
    const strategies = [{ type: 'clip-results' }, { type: 'drop-results' }] as const
    const { orra, provider } = scripted(steps, { tools: [page], context: { ...NARROW, strategies } })
    const events: RunEvent[] = []
    for (let turn = 0; turn < 12; turn += 1) events.push(...(await collect(orra.stream(bob, 'A page!'))))
    const contexts = contextsOf(events)
    expect(contexts.some(({ droppedResults }) => droppedResults > 0)).toBe(true)
    for (const { droppedTurns, estimatedTokens } of contexts) {
      expect(droppedTurns).toBe(0)
      expect(estimatedTokens).toBeLessThanOrEqual(1500)
    }
    const shown = provider.requests
      .at(-1)
      ?.messages.flatMap((message) => (message.role === 'tool' ? message.content : []))
    const texts = shown?.map(({ content }) => textOf(content).slice(0, 20)) ?? []
    expect(texts[0]).toBe('[This result is no l')
    expect(texts.at(-1)).toBe('A line. A line. A li')
    // What was sent once as a line stays one, and what was sent whole stays whole for a while.
    const changes = contexts.filter(
      ({ droppedResults }, index) => droppedResults !== contexts[index - 1]?.droppedResults,
    )
    expect(changes.length).toBeLessThan(8)
  })
})

describe('a message', () => {
  it('that could never be sent is refused before it is accepted, with what it comes to', async () => {
    const { orra, provider } = scripted([], { context: NARROW })
    const failure = await orra.run(bob, 'word '.repeat(2000)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'context.too-long', details: { budgetTokens: 1500 } })
    expect(await orra.session(bob).head()).toBeUndefined()
    expect(provider.requests).toEqual([])
  })

  it('is held against the window of the model that is to answer it, and with the tools it may use', async () => {
    const windowTokens = (model: string) => (model === 'large' ? 100_000 : undefined)
    const { orra } = scripted(['Read.'], { context: { windowTokens, outputReserveTokens: 0 } })
    expect((await orra.run(bob, 'word '.repeat(90_000), { model: 'large' })).text).toBe('Read.')
    const wordy = defineTool({ name: 'wordy', description: 'Many words. '.repeat(700), execute: () => '' })
    const tight = scripted([], { context: NARROW, tools: [wordy] })
    expect(await codeOf(tight.orra.run(bob, 'word '.repeat(200)))).toBe('context.too-long')
  })

  it('counts images and files by the provider’s rules', async () => {
    const { provider } = scripted([])
    const { orra } = scripted([], { provider: { ...provider, mediaTokens: () => 1400 }, context: NARROW })
    const image = { type: 'image', mediaType: 'image/png', data: 'aGk=' } as const
    expect((await orra.preview(bob, { input: [image] })).report.messageTokens).toBe(1404)
    expect(await codeOf(orra.run(bob, [image, image]))).toBe('context.too-long')
  })
})

describe('a provider that says it was too much', () => {
  it('is sent less, once, and the run goes on', async () => {
    const steps = [...Array(6).fill(`An answer. ${'So it is. '.repeat(20)}`), { error: tooLong() }, 'Less is more.']
    const { orra, provider } = scripted(steps, { context: { ...NARROW, strategies: [] } })
    for (let index = 1; index <= 6; index += 1) await orra.run(bob, question(index))
    const events = await collect(orra.stream(bob, question(7)))
    expect(events.at(-1)).toMatchObject({ reason: 'completed', text: 'Less is more.' })
    const [first, second] = contextsOf(events)
    expect(second?.estimatedTokens).toBeLessThanOrEqual((first?.estimatedTokens ?? 0) / 2)
    expect(provider.requests).toHaveLength(8)
    expect(said(provider.requests[7] as ModelRequest)).toContain('Question 7?')
  })

  it('a second time ends the run, and the next one begins with less', async () => {
    const answer = `An answer. ${'So it is. '.repeat(20)}`
    const steps = [...Array(6).fill(answer), { error: tooLong() }, { error: tooLong() }, 'Now.']
    const { orra } = scripted(steps, { context: { ...NARROW, strategies: [] } })
    for (let index = 1; index <= 6; index += 1) await orra.run(bob, question(index))
    expect(await codeOf(orra.run(bob, question(7)))).toBe('provider.context-too-long')
    const events = await collect(orra.stream(bob, 'And now?'))
    expect(contextsOf(events)[0]?.estimatedTokens).toBeLessThanOrEqual(750)
    expect(events.at(-1)).toMatchObject({ reason: 'completed' })
  })
})

describe('a session whose runs were too much for the provider', () => {
  it('goes on, though instructions leave little room for less', async () => {
    const context = { windowTokens: 4000, outputReserveTokens: 0, strategies: [] }
    const steps = [...Array(2).fill({ error: tooLong() }), 'Now.']
    const { orra } = scripted(steps, { context, instructions: 'Be kind. '.repeat(700) })
    expect(await codeOf(orra.run(bob, 'Hi'))).toBe('provider.context-too-long')
    expect(await codeOf(orra.run(bob, 'Hi'))).toBe('provider.context-too-long')
    expect((await orra.run(bob, 'Hi')).text).toBe('Now.')
  })
})

describe('what is estimated', () => {
  it('is corrected by what the call before has really cost', async () => {
    const usage = (inputTokens: number) => ({ inputTokens, outputTokens: 5 })
    const { orra } = scripted(
      [
        { text: 'One.', usage: usage(200) },
        { text: 'Two.', usage: usage(250) },
      ],
      {},
    )
    const [first] = contextsOf(await collect(orra.stream(bob, question(1))))
    const [second] = contextsOf(await collect(orra.stream(bob, 'Go on.')))
    expect(first?.estimatedTokens).toBeLessThan(100)
    expect(second?.estimatedTokens).toBeGreaterThan(200)
    expect(second?.estimatedTokens).toBeLessThan(260)
  })

  it('is left as it is where a provider does not count', async () => {
    const usage = { inputTokens: 0, outputTokens: 0 }
    const { orra } = scripted([{ text: 'One.', usage }, 'Two.'])
    await orra.run(bob, question(1))
    const { estimatedTokens, messageTokens } = (await orra.preview(bob)).report
    expect(estimatedTokens).toBe(messageTokens)
  })

  it('is asked of whoever can count exactly once it comes near to what fits, and stands alone when that fails', async () => {
    const counted: ModelRequest[] = []
    const requestCounter = {
      countRequest: async (request: ModelRequest) => {
        counted.push(request)
        if (counted.length > 1) throw new OrraError('provider.connection', 'No.', { details: { provider: 'scripted' } })
        return 1000
      },
    }
    const { orra } = talker({ context: { ...NARROW, strategies: [], requestCounter } })
    await orra.run(bob, question(1))
    expect(counted).toEqual([])
    const events: RunEvent[] = []
    for (let index = 2; index <= 9; index += 1) events.push(...(await collect(orra.stream(bob, question(index)))))
    expect(counted.length).toBeGreaterThan(1)
    expect(contextsOf(events).some(({ estimatedTokens }) => estimatedTokens === 1000)).toBe(true)
    expect(events.filter(({ type }) => type === 'run-end')).toHaveLength(8)
  })

  it('takes what a provider adds to every request for what it is, and sends what was accepted', async () => {
    const usage = { inputTokens: 600, outputTokens: 5 }
    const { orra } = scripted([{ text: 'Hi.', usage }, 'Read.'])
    await orra.run(bob, 'Hello')
    const [context] = contextsOf(await collect(orra.stream(bob, 'word '.repeat(60_000))))
    expect(context?.estimatedTokens).toBeGreaterThan(60_000)
    expect(context?.estimatedTokens).toBeLessThan(61_000)
  })

  it('leaves turns out no longer than a provider’s odd count does', async () => {
    const steps = Array.from({ length: 12 }, (_, index) => ({
      text: 'So it is. '.repeat(20),
      usage: { inputTokens: index === 6 ? 4000 : 60 * (index + 1) },
    }))
    const { orra } = scripted(steps, { context: { ...NARROW, windowTokens: 2500, strategies: [] } })
    for (let index = 1; index <= 12; index += 1) await orra.run(bob, question(index).slice(0, 80))
    expect((await orra.preview(bob)).report.droppedTurns).toBe(0)
  })

  it('is not waited for from a counter that never answers, nor asked for a model that is denied', async () => {
    const asked = aSwitch()
    const requestCounter = {
      countRequest: () => {
        asked.on()
        return new Promise<number>(() => {})
      },
    }
    const { orra } = scripted(['Hi.', 'Hi.'], { context: { ...NARROW, requestCounter } })
    const stop = new AbortController()
    const run = orra.run(bob, 'word '.repeat(1300), { signal: stop.signal })
    await asked.promise
    stop.abort()
    expect((await run).reason).toBe('aborted')
    const counted: unknown[] = []
    const never = { countRequest: async (request: unknown) => counted.push(request) }
    const policies = { 'tenant:*': { models: { deny: ['*'] } } }
    const denied = scripted([], { context: { ...NARROW, requestCounter: never }, policies })
    expect((await denied.orra.run(bob, 'word '.repeat(1300))).reason).toBe('denied')
    expect(counted).toEqual([])
  })

  it('is a whole number, whatever a counter says', async () => {
    for (const countText of [(text: string) => text.length / 4, () => Number.NaN, () => -5]) {
      const { orra } = scripted(['Hi.'], { context: { counter: { countText }, windowTokens: 100_000 / 3 } })
      await orra.run(bob, 'Hello you')
      await orra.session(alice).import(orra.session(bob).export())
      expect(Number.isInteger((await orra.preview(alice)).report.estimatedTokens)).toBe(true)
    }
  })

  it('comes from a counter of one’s own', async () => {
    const { orra } = scripted([], { context: { counter: { countText: (text) => text.length } } })
    expect((await orra.preview(bob, { input: '12345' })).report.messageTokens).toBe(9)
  })
})

describe('preview', () => {
  it('shows what is then sent, without calling anything or writing anything', async () => {
    const { orra, provider } = scripted(['One.', 'Two.'], { tools: [report], instructions: 'Be brief.' })
    await orra.run(bob, 'First')
    const before = await logOf(orra)
    const { request, report: previewed } = await orra.preview(bob, { input: 'Second', model: 'other' })
    expect(provider.requests).toHaveLength(1)
    expect(await logOf(orra)).toEqual(before)
    const [context] = contextsOf(await collect(orra.stream(bob, 'Second', { model: 'other' })))
    expect(provider.requests[1]).toEqual(request)
    expect(context).toEqual(previewed)
  })

  it('knows an empty session, and refuses what a run would refuse', async () => {
    const { orra } = scripted([])
    expect((await orra.preview(bob)).request.messages).toEqual([])
    expect(await codeOf(orra.preview(bob, { agent: 'nobody' }))).toBe('agent.unknown')
    expect(await codeOf(orra.preview(bob, { models: 'x' } as never))).toBe('options.invalid')
    expect(await codeOf(orra.preview(bob, { input: '' }))).toBe('message.invalid')
  })
})

describe('a pinned message', () => {
  const first = (messages: readonly Message[] = []) => messages.slice(0, 3).map((message) => textOf(message))

  it('is sent whatever becomes of its turn, until it is unpinned', async () => {
    const { orra } = talker({ context: { ...NARROW, strategies: [] } })
    const session = orra.session(bob)
    await orra.run(bob, 'My name is Bob.')
    await session.pin(3)
    for (let index = 1; index <= 15; index += 1) await orra.run(bob, question(index))
    const { request, report: previewed } = await orra.preview(bob)
    expect(previewed.droppedTurns).toBeGreaterThan(0)
    expect(first(request.messages)[0]).toBe('My name is Bob.')
    expect(previewed.openingTokens).toBeGreaterThan(0)
    await orra.compact(bob)
    expect(first((await orra.preview(bob)).request.messages)[1]).toBe('My name is Bob.')
    await session.unpin(3)
    expect(JSON.stringify((await orra.preview(bob)).request)).not.toContain('My name is Bob.')
  })

  it('of the model’s is sent as a quotation, and none twice', async () => {
    const { orra } = talker({ context: { ...NARROW, strategies: [] } })
    await orra.run(bob, 'Hello')
    await orra.session(bob).pin(4)
    expect((await orra.preview(bob)).request.messages).toHaveLength(2)
    for (let index = 1; index <= 15; index += 1) await orra.run(bob, question(index))
    expect(first((await orra.preview(bob)).request.messages)[0]).toContain('You said before:\n\nAn answer.')
  })

  it('is one of the session, said by the user or the model, and not too long', async () => {
    const { orra } = talker()
    await orra.run(bob, 'word '.repeat(500))
    const session = orra.session(bob)
    for (const seq of [0, 1, 2, 5, 99, -1, 1.5]) expect(await codeOf(session.pin(seq))).toBe('options.invalid')
    expect(await codeOf(session.pin(3))).toBe('context.too-long')
    expect(await codeOf(orra.session(alice).pin(3))).toBe('options.invalid')
  })
})

describe('the context options', () => {
  it.each([
    { windowTokens: 0 },
    { windowTokens: 10, outputReserveTokens: 10 },
    { windowTokens: Number.NaN },
    { outputReserveTokens: -1 },
    { strategies: 'all' },
    { strategies: [{ type: 'forget' }] },
    { strategies: [null] },
    { strategies: [{ type: 'drop-turns' }, { type: 'drop-turns' }] },
    { strategies: [{ type: 'clip-results', maxTokens: 99 }] },
    { strategies: [{ type: 'compact', at: 1.5 }] },
    { strategies: [{ type: 'compact', keep: 0.9 }] },
    { strategies: [{ type: 'compact', model: '' }] },
    { counter: {} },
    { requestCounter: {} },
  ])('cannot be %j', async (context) => {
    expect(await codeOf(() => scripted([], { context: context as never }))).toBe('options.invalid')
  })
})

describe('what is sent', () => {
  it('has its tools in one order, whoever may use which of them', async () => {
    const tools = ['d', 'b', 'a', 'c'].map((name) => defineTool({ name, description: name, execute: () => '' }))
    const policies = {
      'tenant:acme:user:bob': { tools: { deny: ['b'] } },
      'tenant:acme:user:alice': { tools: { deny: ['d', 'c'] } },
    }
    const { orra } = scripted([], { tools, policies })
    const namesFor = async (namespace: typeof bob) =>
      (await orra.preview(namespace)).request.tools.map(({ name }) => name).join('')
    expect(await namesFor(bob)).toBe('dacread_result')
    expect(await namesFor(alice)).toBe('baread_result')
  })
})
