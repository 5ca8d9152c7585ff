import { toolCallsOf } from '@orra/core'
import { expect } from 'vitest'
import { says } from './answers.ts'
import { ask, WEATHER } from './asked.ts'
import { heard } from './heard.ts'
import { needs, type Scenario } from './scenario.ts'

const rome = { id: 'call_1', name: WEATHER.name, input: '{"city":"Rome"}' }
const oslo = { id: 'call_2', name: WEATHER.name, input: '{"city":"Oslo, \\"Norge\\" 😀"}' }
const question = ask('Rome and Oslo?', { tools: [WEATHER] })

/** What a model wants done. */
export function toolCallScenarios(scenario: Scenario): void {
  scenario('has its name, its input and an id', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { text: ['Let me look.'], toolCalls: [rome] }))
    const reply = await heard(provider, question)
    expect(reply).toMatchObject({ stopReason: 'tool-calls', text: 'Let me look.' })
    expect(toolCallsOf(reply.message)).toMatchObject([{ name: WEATHER.name, input: { city: 'Rome' } }])
  })

  scenario('may be one of several, in order, with ids of their own', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { toolCalls: [rome, oslo, { ...rome, id: 'call_3' }] }))
    const reply = await heard(provider, question)
    expect(reply.stopReason).toBe('tool-calls')
    const inputs = toolCallsOf(reply.message).map(({ input }) => input)
    expect(inputs).toEqual([{ city: 'Rome' }, { city: 'Oslo, "Norge" 😀' }, { city: 'Rome' }])
  })

  scenario('gets an id where the model gives none, another one in each reply', async (tested) => {
    needs(tested, 'missing-ids')
    const toolCalls = [rome, oslo].map(({ name, input }) => ({ name, input }))
    const { provider } = tested.serve(says(tested.wire, { toolCalls }))
    const replies = [await heard(provider, question), await heard(provider, question)]
    const ids = replies.flatMap(({ message }) => toolCallsOf(message).map(({ callId }) => callId))
    expect(new Set(ids).size).toBe(4)
  })

  scenario('without input has an empty one', async ({ serve, wire }) => {
    for (const input of ['', '{}']) {
      const { provider } = serve(says(wire, { toolCalls: [{ ...rome, input }] }))
      expect(toolCallsOf((await heard(provider, question)).message)).toMatchObject([{ input: {} }])
    }
  })

  scenario('whose input is no JSON has one that its schema refuses', async (tested) => {
    needs(tested, 'text-input')
    for (const input of ['{"city":', '{"city":"Rome"}}', 'Rome', "{'city':'Rome'}", '{"city":"Ro\nme"']) {
      const { provider } = tested.serve(says(tested.wire, { toolCalls: [{ ...rome, input }] }))
      const reply = await heard(provider, question)
      expect(reply.stopReason).toBe('tool-calls')
      expect(toolCallsOf(reply.message)).toHaveLength(1)
      for (const call of toolCallsOf(reply.message)) expect(call.input).not.toHaveProperty('city')
    }
  })

  scenario('that the limit cuts off is no broken reply', async (tested) => {
    needs(tested, 'text-input')
    const { provider } = tested.serve(
      says(tested.wire, { toolCalls: [{ ...rome, input: '{"city":"Ro' }], stopReason: 'length' }),
    )
    const reply = await heard(provider, question)
    expect(reply.stopReason).toBe('length')
    for (const call of toolCallsOf(reply.message)) expect(call.input).not.toHaveProperty('city')
  })
}
