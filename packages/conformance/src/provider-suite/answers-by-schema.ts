import type { JsonObject } from '@orra/core'
import { expect } from 'vitest'
import type { ModelWire } from '../wire/model-wire.ts'
import { says } from './answers.ts'
import { ask, WEATHER } from './asked.ts'
import { heard } from './heard.ts'
import type { Scenario } from './scenario.ts'
import type { Answer } from './served-fetch.ts'

const outputSchema: JsonObject = {
  type: 'object',
  properties: { summary: { type: 'string' }, degrees: { type: 'number' } },
  required: ['summary', 'degrees'],
  additionalProperties: false,
}
const ANSWER = { summary: 'Rain, "heavy" at times', degrees: 11.5 }

/** Replies that are data. */
export function answerScenarios(scenario: Scenario): void {
  scenario('is asked for in the words of the API, and its text is JSON', async ({ serve, wire }) => {
    const { provider, calls } = serve(answers(wire))
    const reply = await heard(provider, ask('How is it in Rome?', { outputSchema }))
    expect(JSON.parse(reply.text)).toEqual(ANSWER)
    expect(reply.stopReason).toBe('stop')
    expect(reply.message.content.map(({ type }) => type)).toEqual(['text'])
    expect(JSON.stringify(calls[0]?.body)).toContain('"degrees"')
    expect(wire.problemsIn(calls[0]?.body)).toEqual([])
  })

  scenario('may come after tools', async ({ serve, wire }) => {
    const question = ask('How is it in Rome?', { outputSchema, tools: [WEATHER] })
    const toolCalls = [{ id: 'call_1', name: WEATHER.name, input: '{"city":"Rome"}' }]
    const { provider, calls } = serve((call) => (calls.length === 1 ? says(wire, { toolCalls }) : answers(wire))(call))
    const asked = await heard(provider, question)
    expect(asked.stopReason).toBe('tool-calls')
    const result = { type: 'tool-result', name: WEATHER.name, content: [{ type: 'text', text: 'Rain.' }] } as const
    const results = asked.message.content.flatMap((part) =>
      part.type === 'tool-call' ? [{ role: 'tool', content: [{ ...result, callId: part.callId }] } as const] : [],
    )
    const reply = await heard(provider, { ...question, messages: [...question.messages, asked.message, ...results] })
    expect(JSON.parse(reply.text)).toEqual(ANSWER)
    expect(calls.flatMap(({ body }) => wire.problemsIn(body))).toEqual([])
  })

  scenario('is not asked for where any text will do', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    await heard(provider, ask('Hello', { tools: [WEATHER] }))
    const [call] = calls
    expect(call && wire.answerAsked(call)).toBeUndefined()
  })
}

function answers(wire: ModelWire): Answer {
  return (call) => {
    const asked = wire.answerAsked(call)
    const json = JSON.stringify(ANSWER)
    if (asked === 'text') return says(wire, { text: [json.slice(0, 20), json.slice(20)] })(call)
    if (asked) return says(wire, { toolCalls: [{ id: 'call_9', name: asked.tool, input: json }] })(call)
    return says(wire, { text: ['It rains.'] })(call)
  }
}
