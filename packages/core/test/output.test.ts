import { type ScriptStep, scriptedProvider } from '@orra/conformance'
import {
  answerByTool,
  createRuntime,
  defineTool,
  isOrraError,
  type ModelEvent,
  type ModelRequest,
  memoryStore,
  textOf,
} from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { alice, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const Task = z.object({ title: z.string(), days: z.number().min(0).default(1) })
const RIGHT = '{"title":"Paint the door","days":2}'
const WRONG = '{"title":5,"days":-1,"secret-field-7":1}'

const failureOf = async (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error)

describe('an answer that is asked for as data', () => {
  it('comes by its schema, and the model is shown the schema', async () => {
    const { orra, provider } = scripted(['{"title":"Paint the door"}'])
    const { output, text } = await orra.run(bob, 'What is next?', { output: Task })
    expect(output).toEqual({ title: 'Paint the door', days: 1 })
    expect(text).toBe('{"title":"Paint the door"}')
    expect(provider.requests[0]?.outputSchema).toMatchObject({
      type: 'object',
      properties: { title: { type: 'string' } },
    })
  })

  it.each([
    ['in a fence', `Here it is:\n\`\`\`json\n${RIGHT}\n\`\`\`\n`],
    ['with space around it', `\n  ${RIGHT}\n`],
  ])('may stand %s', async (_, text) => {
    const { orra } = scripted([text])
    expect((await orra.run(bob, 'Next?', { output: Task })).output).toEqual({ title: 'Paint the door', days: 2 })
  })

  it('may be described by plain JSON Schema', async () => {
    const { orra } = scripted(['{"n":1}'])
    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } as const
    expect((await orra.run(bob, 'How many?', { output: schema })).output).toEqual({ n: 1 })
  })

  it('comes after the tools that it takes', async () => {
    const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'a door' })
    const { orra, provider } = scripted([{ toolCalls: [{ name: 'look' }] }, RIGHT], { tools: [look] })
    expect((await orra.run(bob, 'Next?', { output: Task })).output).toMatchObject({ days: 2 })
    expect(provider.requests.map(({ outputSchema }) => outputSchema !== undefined)).toEqual([true, true])
  })

  it('is text again in the next run', async () => {
    const { orra, provider } = scripted([RIGHT, 'Hello'])
    await orra.run(bob, 'Next?', { output: Task })
    expect(await orra.run(bob, 'Hello')).not.toHaveProperty('output')
    expect(provider.requests[1]).not.toHaveProperty('outputSchema')
  })

  it('is counted as a part of what is sent, and shown beforehand', async () => {
    const { orra } = scripted([])
    const without = await orra.preview(bob, { input: 'Next?' })
    const { request, report } = await orra.preview(bob, { input: 'Next?', output: Task })
    expect(request.outputSchema).toMatchObject({ type: 'object' })
    expect(report.estimatedTokens).toBeGreaterThan(without.report.estimatedTokens + 10)
  })
})

describe('a wrong answer', () => {
  it('is asked for once more, and the model is told what is wrong', async () => {
    const { orra, provider } = scripted([WRONG, RIGHT])
    const { output, usage } = await orra.run(bob, 'Next?', { output: Task })
    expect(output).toEqual({ title: 'Paint the door', days: 2 })
    expect(usage.outputTokens).toBe(10)
    const last = provider.requests[1]?.messages.at(-1)
    expect(last?.role).toBe('user')
    expect(last && textOf(last)).toMatch(/not the JSON.*\n- title: .*\n- days: /)
    expect(await logOf(orra)).toHaveLength(7)
  })

  it('fails the run when it comes twice, with places and nothing of the answer', async () => {
    const { orra, provider } = scripted([WRONG, 'I will not say it in JSON', 'Hello'])
    const error = await failureOf(orra.run(bob, 'Next?', { output: Task, key: 'one' }))
    expect(isOrraError(error, 'output.invalid') && error.details).toEqual({ places: [] })
    expect(provider.requests).toHaveLength(2)
    expect((await logOf(orra)).at(-1)).toBe('run-ended error output.invalid')
    expect(await codeOf(orra.run(bob, 'Next?', { output: Task, key: 'one' }))).toBe('run.failed')
    expect((await orra.run(bob, 'Hello')).text).toBe('Hello')
  })

  it('is described by what the schema names, and by nothing that the model made up', async () => {
    const strict = JSON.parse(JSON.stringify({ ...z.toJSONSchema(Task), additionalProperties: false }))
    const { orra } = scripted([WRONG, WRONG])
    const error = await failureOf(orra.run(bob, 'Next?', { output: strict }))
    if (!isOrraError(error, 'output.invalid')) throw error
    expect(error.details.places).toEqual(expect.arrayContaining(['title', 'days']))
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain('secret-field-7')
  })

  it.each([
    ['nested without an end', '['.repeat(200_000)],
    ['nested too deeply', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['a field that would change every object', '{"__proto__":{"title":"x"}}'],
    ['no object', '"text"'],
  ])('may be %s', async (_, text) => {
    const { orra } = scripted([text, text])
    expect(await codeOf(orra.run(bob, 'Next?', { output: Task }))).toBe('output.invalid')
    expect(({} as { title?: string }).title).toBeUndefined()
  })

  it('is not asked for again where no turn is left', async () => {
    const { orra, provider } = scripted([WRONG, RIGHT])
    expect(await codeOf(orra.run(bob, 'Next?', { output: Task, maxTurns: 1 }))).toBe('output.invalid')
    expect(provider.requests).toHaveLength(1)
  })

  it('is told of where something is missing, and never by a name that is a number of its own', async () => {
    const output = {
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'string' } },
        by: { type: 'object', additionalProperties: { type: 'string' } },
      },
      required: ['list', 'by', 'days'],
    } as const
    const wrong = '{"list":["a",1],"by":{"4111111111111111":5}}'
    const { orra } = scripted([wrong, wrong])
    const error = await failureOf(orra.run(bob, 'Next?', { output }))
    if (!isOrraError(error, 'output.invalid')) throw error
    expect(error.details.places.toSorted()).toEqual(['*', 'by.*', 'list.1'])
    expect(error.message).not.toContain('4111')
  })

  it.each([
    ['with a fence that is never closed', `\`\`\`${'\n'.repeat(300_000)}`],
    ['with many fences', '```'.repeat(100_000)],
    ['with many wrong items', JSON.stringify({ list: Array.from({ length: 60_000 }, () => 1) })],
    [
      'with many wrong names',
      JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`a${n}`, 1]))),
    ],
  ])('is found wrong without holding anybody up, though it is long: %s', async (_, text) => {
    const output = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'string' } } },
      required: ['list'],
      additionalProperties: false,
    } as const
    const { orra, provider } = scripted([text, '{"list":[]}'])
    expect((await orra.run(bob, 'Next?', { output })).output).toEqual({ list: [] })
    const told = provider.requests[1]?.messages.at(-1)
    expect(told && textOf(told).length).toBeLessThan(3000)
  })

  it('is asked for again wherever the model has nothing more to do', async () => {
    const { orra, provider } = scripted([{ text: 'no', stopReason: 'tool-calls' }, RIGHT])
    expect((await orra.run(bob, 'Next?', { output: Task })).output).toMatchObject({ days: 2 })
    expect(provider.requests).toHaveLength(2)
  })

  it('that only the caller’s own schema knows to be wrong throws at once', async () => {
    const odd = Task.refine(({ title }) => title.startsWith('A'), { path: ['title'], message: 'A' })
    const { orra, provider } = scripted([RIGHT])
    const error = await failureOf(orra.run(bob, 'Next?', { output: odd }))
    expect(isOrraError(error, 'output.invalid') && error.details).toEqual({ places: ['title'] })
    expect(provider.requests).toHaveLength(1)
    expect((await logOf(orra)).at(-1)).toBe('run-ended completed')
  })

  it.each(['length', 'refused'] as const)('is none when the reply ended with %s', async (stopReason) => {
    const { orra } = scripted([{ text: '{"title":"Pai', stopReason }])
    const result = await orra.run(bob, 'Next?', { output: Task })
    expect(result.reason).toBe(stopReason)
    expect(result).not.toHaveProperty('output')
  })

  it('ends a stream with what was wrong', async () => {
    const { orra } = scripted([WRONG, WRONG])
    expect(await codeOf(collect(orra.stream(bob, 'Next?', { output: Task })))).toBe('output.invalid')
  })
})

describe('a stream with an answer as data', () => {
  it('tells of an answer that is asked for again, and ends with the one that is right', async () => {
    const { orra } = scripted([WRONG, RIGHT])
    const events = await collect(orra.stream(bob, 'Next?', { output: Task }))
    const kinds = events.map(({ type }) => type)
    expect(kinds.filter((type) => type === 'asked-again' || type === 'run-end')).toEqual(['asked-again', 'run-end'])
    expect(events.at(-1)).toMatchObject({ type: 'run-end', output: { title: 'Paint the door', days: 2 } })
  })

  it('can be left, and a run stopped, though the schema never comes to an end', async () => {
    const endless = Task.refine(() => new Promise<boolean>(() => {}))
    const { orra } = scripted([RIGHT, RIGHT])
    for await (const event of orra.stream(bob, 'Next?', { output: endless })) if (event.type === 'model-call-end') break
    const stop = new AbortController()
    const stopped = orra.run(alice, 'Next?', { output: endless, signal: stop.signal }).catch((error: unknown) => error)
    for await (const event of orra.session(alice).watch())
      if (event.type === 'entry' && event.entry.type === 'run-ended') break
    stop.abort('enough')
    expect(await stopped).toBe('enough')
  })
})

describe('what an answer is to be', () => {
  it('stands in the log, so that another process asks for it, too', async () => {
    const store = memoryStore()
    const submitting = createRuntime({ provider: scriptedProvider([]), store })
    await submitting.submit(bob, 'Next?', { output: Task, key: 'one' })
    const provider = scriptedProvider([WRONG, RIGHT])
    await using other = createRuntime({ provider, store })
    await other.resume(bob)
    expect(provider.requests).toHaveLength(2)
    expect((await submitting.run(bob, 'Next?', { output: Task, key: 'one' })).output).toMatchObject({ days: 2 })
  })

  it('is still to come when a process ends after it was asked for again', async () => {
    const store = memoryStore()
    const second = Promise.withResolvers<void>()
    const dying = createRuntime({
      provider: scriptedProvider([
        WRONG,
        () => {
          second.resolve()
          return { before: new Promise(() => {}) }
        },
      ]),
      store,
    })
    const lost = codeOf(dying.run(bob, 'Next?', { output: Task, key: 'one' }))
    await second.promise
    await dying.close()
    expect(await lost).toBe('runtime.closed')
    const { orra, provider } = scripted([RIGHT], { store })
    expect((await orra.run(bob, 'Next?', { output: Task, key: 'one' })).output).toMatchObject({ days: 2 })
    expect(provider.requests[0]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  })

  it('is exported and imported with the question that was asked again, which nothing else may look like', async () => {
    const { orra } = scripted([WRONG, RIGHT])
    await orra.run(bob, 'Next?', { output: Task })
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    await orra.session(alice).import(lines)
    expect(await logOf(orra, alice)).toEqual(await logOf(orra))
    const forged = lines.map(
      (line) => `${JSON.stringify(JSON.parse(line), (name, value) => (name === 'settings' ? {} : value))}\n`,
    )
    expect(await codeOf(orra.session(alice.child('forged')).import(forged))).toBe('import.invalid')
  })

  it.each([
    ['text', 'a task'],
    ['a schema of text', z.string()],
    ['a list', []],
    ['a schema with a reference to nothing', { type: 'object', properties: { a: { $ref: '#/nope' } } }],
    ['a schema with a choice that is no list', { type: 'object', properties: { a: { enum: 'x' } } }],
    ['a schema with a name that is no pattern', { type: 'object', patternProperties: { '(': {} } }],
    ['a schema with properties that are none', { type: 'object', properties: { a: { properties: [] } } }],
    ['a schema with a pattern that is none', { type: 'object', properties: { a: { pattern: '(' } }, required: ['a'] }],
  ])('is refused at once when it is %s', async (_, output) => {
    const { orra } = scripted([])
    const error = await failureOf(orra.run(bob, 'Next?', { output: output as never }))
    expect(isOrraError(error, 'options.invalid') && error.details.option).toBe('output')
    expect(await orra.session(bob).head()).toBeUndefined()
  })

  it('may hold data that looks like a schema, and go in a circle', async () => {
    const { orra } = scripted(['{"glob":"x","self":1}', '{"glob":"x"}'])
    const output = {
      type: 'object',
      properties: { glob: { default: { pattern: '(' }, type: 'string' }, self: { $ref: '#/properties/self' } },
    } as const
    expect((await orra.run(bob, 'Next?', { output })).output).toEqual({ glob: 'x' })
  })

  it('is what it is now, where plain JSON was changed', async () => {
    const output = { type: 'object', properties: { size: { enum: ['s'] } }, required: ['size'] }
    const { orra } = scripted(['{"size":"s"}', '{"size":"m"}'])
    await orra.run(bob, 'Next?', { output })
    output.properties.size.enum.push('m')
    expect((await orra.run(bob, 'Next?', { output })).output).toEqual({ size: 'm' })
  })

  it('is asked for again in a window that the wrong answer alone would fill, without the question being lost', async () => {
    const long = JSON.stringify({ title: 5, notes: 'a long story '.repeat(2000) })
    const context = { windowTokens: 4000, outputReserveTokens: 500 }
    const { orra, provider } = scripted([long, RIGHT], { context })
    expect((await orra.run(bob, 'What is next?', { output: Task })).output).toMatchObject({ days: 2 })
    const roles = provider.requests[1]?.messages.map(({ role }) => role)
    expect(roles).toEqual(['user', 'assistant', 'user'])
    expect(provider.requests[1]?.messages[0]).toMatchObject({ content: [{ text: 'What is next?' }] })
  })

  it('goes with a fork, and is seen by whoever watches', async () => {
    const { orra } = scripted([WRONG, RIGHT])
    const said: string[] = []
    const watching = (async () => {
      for await (const event of orra.session(bob).watch({ after: 0 })) {
        if (event.type !== 'entry') continue
        said.push(event.entry.type)
        if (event.entry.type === 'run-ended') return
      }
    })()
    await orra.run(bob, 'Next?', { output: Task })
    await watching
    expect(said).toEqual(['input', 'run-started', 'message', 'message', 'message', 'message', 'run-ended'])
    await orra.session(bob).fork(alice)
    expect(await logOf(orra, alice)).toEqual(await logOf(orra))
  })

  it('is asked for again only within the limits, and both answers are paid for', async () => {
    const policies = { [bob.pattern]: { limits: { runsPerDay: 5, maxTurns: 1 } } }
    const { orra, provider } = scripted([WRONG, RIGHT], { policies })
    expect(await codeOf(orra.run(bob, 'Next?', { output: Task }))).toBe('output.invalid')
    expect(provider.requests).toHaveLength(1)
    const { orra: free } = scripted([WRONG, RIGHT])
    await free.run(bob, 'Next?', { output: Task })
    expect((await free.usage(bob, 'day')).models).toMatchObject({ 'scripted-1': { calls: 2 } })
  })

  it('is not taken over from elsewhere for what is still to be answered', async () => {
    const { orra } = scripted([RIGHT, 'Just text'])
    await orra.submit(bob, 'Next?', { output: Task })
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    await orra.session(alice).import(lines)
    await orra.resume(bob)
    expect((await orra.resume(alice))?.text).toBe('Just text')
    const unusable = lines.map((line) =>
      line.replace('"title"', '"$ref":{},"title"').replace('"type":"string"', '"type":"string","pattern":"("'),
    )
    expect(await codeOf(orra.session(alice.child('other')).import(unusable))).toBe('import.invalid')
  })

  it('brings out an answer or output.invalid, in two calls at most, whatever the model says', async () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(RIGHT, WRONG, '', ' ', '```json\n{}\n```'),
      fc.record({ title: fc.string(), days: fc.integer() }).map((value) => JSON.stringify(value)),
    )
    await fc.assert(
      fc.asyncProperty(text, text, async (first, second) => {
        const { orra, provider } = scripted([first, second])
        const outcome = await orra.run(bob, 'Next?', { output: Task }).then(
          ({ output }) => Task.safeParse(output).success,
          (error: unknown) => isOrraError(error, 'output.invalid'),
        )
        expect(outcome).toBe(true)
        expect(provider.requests.length).toBeLessThanOrEqual(2)
      }),
      { numRuns: 300 },
    )
  })
})

describe('an answer that is given by a tool', () => {
  const outputSchema = { type: 'object' }
  const asked = { messages: [], tools: [{ name: 'final_answer', description: '', inputSchema: {} }], outputSchema }

  async function answered(step: ScriptStep) {
    const model = scriptedProvider([step])
    const requests: ModelRequest[] = []
    const events: ModelEvent[] = []
    const answers = answerByTool(asked, (request) => {
      requests.push(request)
      return model.stream(request)
    })
    for await (const event of answers) events.push(event)
    const text = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
    const finish = events.at(-1)
    if (finish?.type !== 'finish') throw new Error('There is no finish.')
    return { requests, text, finish }
  }

  it('is text to everybody else', async () => {
    const { requests, text, finish } = await answered({
      text: 'Let me see.',
      toolCalls: [{ name: 'final_answer_2', input: { title: 'x' } }],
    })
    expect(requests[0]?.tools.map(({ name }) => name)).toEqual(['final_answer', 'final_answer_2'])
    expect(requests[0]).not.toHaveProperty('outputSchema')
    expect(text).toBe('{"title":"x"}')
    expect(finish).toMatchObject({ stopReason: 'stop', message: { content: [{ type: 'text', text }] } })
  })

  it('waits until other tools have been called', async () => {
    const { finish } = await answered({ toolCalls: [{ name: 'final_answer_2', input: {} }, { name: 'look' }] })
    expect(finish.stopReason).toBe('tool-calls')
    expect(finish.message.content).toMatchObject([{ type: 'tool-call', name: 'look' }])
  })

  it('is what the model says where it calls no tool', async () => {
    const { text, finish } = await answered('{"title":"y"}')
    expect(text).toBe('{"title":"y"}')
    expect(textOf(finish.message)).toBe(text)
  })
})
