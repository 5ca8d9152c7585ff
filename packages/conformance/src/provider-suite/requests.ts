import { expect } from 'vitest'
import { says } from './answers.ts'
import { answering, ask, assistant, calling, conversation, user, WEATHER } from './asked.ts'
import { heard } from './heard.ts'
import { KEY, needs, type Scenario } from './scenario.ts'
import type { ServedCall } from './served-fetch.ts'

/** What goes to the server. */
export function requestScenarios(scenario: Scenario): void {
  scenario('carries all that it was asked', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    const time = { ...WEATHER, name: 'time', description: 'Tells the time in a city.' }
    await heard(
      provider,
      conversation(
        [
          user('First question'),
          assistant('First answer'),
          user('Oslo?'),
          calling({ callId: 'call_1' }),
          answering('call_1', 'Fog.'),
        ],
        { instructions: 'Answer in verse.', tools: [WEATHER, time], maxOutputTokens: 321 },
      ),
    )
    const sent = sentBy(calls[0])
    for (const part of ['Answer in verse.', 'First question', 'First answer', 'Oslo?', 'Fog.', '321', provider.model])
      expect(sent).toContain(part)
    for (const { name, description } of [WEATHER, time]) {
      expect(sent).toContain(name)
      expect(sent).toContain(description)
    }
    expect(wire.problemsIn(calls[0]?.body)).toEqual([])
  })

  scenario('names another model when it is asked for one', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    await heard(provider, ask('Hello', { model: 'another-model-7' }))
    expect(sentBy(calls[0])).toContain('another-model-7')
    expect(sentBy(calls[0])).not.toContain(provider.model)
  })

  scenario('is the same for the same question', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    const question = ask('Hello', { instructions: 'Be brief.', tools: [WEATHER] })
    await heard(provider, question)
    await heard(provider, question)
    expect(calls[1]?.body).toEqual(calls[0]?.body)
  })

  scenario('carries the key, and not in its URL or its body', async (tested) => {
    needs(tested, 'key')
    const { provider, calls } = tested.serve(says(tested.wire, { text: ['Yes.'] }))
    await heard(provider, ask())
    expect(Object.values(calls[0]?.headers ?? {}).join(' ')).toContain(KEY)
    expect(sentBy(calls[0])).not.toContain(KEY)
  })

  scenario('is made when it is asked for, and not before', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    const stream = provider.stream(ask())
    expect(calls).toHaveLength(0)
    for await (const _ of stream);
    expect(calls).toHaveLength(1)
  })

  scenario('is connected once, when the status and the headers are there', async ({ serve, wire }) => {
    const order: string[] = []
    const { provider } = serve((call) => {
      order.push('answered')
      const { pieces, ...reply } = wire.reply({ model: 'model-1', text: ['Yes.'] }, call)
      return { ...reply, body: pieces }
    })
    for await (const { type } of provider.stream(ask(), { connected: () => void order.push('connected') })) {
      order.push(type)
    }
    expect(order.slice(0, 2)).toEqual(['answered', 'connected'])
    expect(order.filter((what) => what === 'connected')).toHaveLength(1)
    expect(order.at(-1)).toBe('finish')
  })
}

function sentBy(call: ServedCall | undefined): string {
  return `${call?.url} ${JSON.stringify(call?.body)}`
}
