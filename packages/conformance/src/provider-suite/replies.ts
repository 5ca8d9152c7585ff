import { expect } from 'vitest'
import { says, wholeTurn } from './answers.ts'
import { ask, WEATHER } from './asked.ts'
import { heard } from './heard.ts'
import { needs, type Scenario } from './scenario.ts'

/** What a model says, and how it ends. */
export function replyScenarios(scenario: Scenario): void {
  scenario('is its text', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { text: ['Tomorrow ', 'it ', 'will ', 'rain.'] }))
    expect(await heard(provider, ask())).toMatchObject({ text: 'Tomorrow it will rain.', stopReason: 'stop' })
  })

  scenario('of many pieces is all of them, in order', async ({ serve, wire }) => {
    const text = Array.from({ length: 500 }, (_, index) => `${index} `)
    const { provider } = serve(says(wire, { text }))
    expect((await heard(provider, ask())).text).toBe(text.join(''))
  })

  scenario('keeps what looks like the end, or like an event', async ({ serve, wire }) => {
    const text = ['[DONE]', '\n\n', 'data: {"a":1}\r\n\r\n', 'event: x\n', '\u2028', '\0', '"\\', '</html>']
    const { provider } = serve(says(wire, { text }))
    expect((await heard(provider, ask())).text).toBe(text.join(''))
  })

  scenario('may be empty', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, {}))
    const { text, message, stopReason } = await heard(provider, ask())
    expect({ text, stopReason }).toEqual({ text: '', stopReason: 'stop' })
    expect(message.content.filter(({ type }) => type !== 'text')).toEqual([])
  })

  scenario('that ran into its limit says so', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { text: ['Tomorrow it'], stopReason: 'length' }))
    expect(await heard(provider, ask())).toMatchObject({ text: 'Tomorrow it', stopReason: 'length' })
  })

  scenario('that is a refusal says so', async (tested) => {
    needs(tested, 'refusal')
    const { provider } = tested.serve(says(tested.wire, { text: ['I would rather not.'], stopReason: 'refused' }))
    expect(await heard(provider, ask())).toMatchObject({ stopReason: 'refused' })
  })

  scenario('names the model that answered', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { text: ['Yes.'], model: 'model-1-2026-01-01' }))
    expect((await heard(provider, ask())).model).toBe('model-1-2026-01-01')
  })

  scenario('tells its reasoning apart from its text', async (tested) => {
    needs(tested, 'reasoning')
    const { provider } = tested.serve(says(tested.wire, { reasoning: ['I should ', 'look.'], text: ['Rain.'] }))
    expect(await heard(provider, ask())).toMatchObject({ reasoning: 'I should look.', text: 'Rain.' })
  })

  scenario('has its reasoning back with the next request', async (tested) => {
    needs(tested, 'reasoning')
    const { serve, wire } = tested
    if (wire.seal === undefined) tested.skip('it wants no reasoning back')
    const first = wholeTurn({
      reasoning: ['I should look.'],
      toolCalls: [{ id: 'call_1', name: WEATHER.name, input: '{"city":"Rome"}' }],
    })
    const { provider, calls } = serve((call) => says(wire, calls.length === 1 ? first : { text: ['Rain.'] })(call))
    const question = ask('Rome?', { tools: [WEATHER] })
    const { message } = await heard(provider, question)
    const result = {
      role: 'tool',
      content: [
        { type: 'tool-result', callId: 'call_1', name: WEATHER.name, content: [{ type: 'text', text: 'Rain.' }] },
      ],
    } as const
    // What the log keeps is JSON.
    const kept = JSON.parse(JSON.stringify(message))
    await heard(provider, { ...question, messages: [...question.messages, kept, result] })
    expect(JSON.stringify(calls[0]?.body)).not.toContain(wire.seal)
    expect(JSON.stringify(calls[1]?.body)).toContain(wire.seal)
    expect(wire.problemsIn(calls[1]?.body)).toEqual([])
  })
}
