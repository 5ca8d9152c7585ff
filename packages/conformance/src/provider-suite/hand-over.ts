import { type ImagePart, type Message, type ModelRequest, toolCallsOf } from '@orra/core'
import { expect } from 'vitest'
import { says } from './answers.ts'
import { anyConversation, PNG } from './any-conversation.ts'
import { answering, assistant, calling, conversation, user, WEATHER } from './asked.ts'
import { heard } from './heard.ts'
import type { Scenario, Tested } from './scenario.ts'

const HALF = '\ud83d'
const image: ImagePart = { type: 'image', mediaType: 'image/png', data: PNG }
const STRANGE_IDS = [
  'call:1|fc_68a2/+=',
  `toolu_${'x'.repeat(200)}`,
  '',
  'ünï-cödé 日本',
  'two\nlines',
  `half${HALF}`,
  'functions.weather:0',
]

/** Conversations that other providers, crashes and people in a hurry have left behind: the server has to take them. */
export function handOverScenarios(scenario: Scenario): void {
  const sent = async ({ serve, wire }: Tested, messages: readonly Message[], more: Partial<ModelRequest> = {}) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    await heard(provider, conversation(messages, { tools: [WEATHER], ...more }))
    expect(wire.problemsIn(calls[0]?.body)).toEqual([])
    return JSON.stringify(calls[0]?.body)
  }

  scenario('may hold reasoning that only its own provider can read', async (tested) => {
    const reasoning = (text: string, data: object) =>
      ({ type: 'reasoning', text, providerData: { 'another-provider': data } }) as never
    const body = await sent(tested, [
      user('Hello'),
      {
        role: 'assistant',
        content: [
          reasoning('A thought of another.', { signature: 'of-another', id: 'rs_of-another', encrypted: 'of-another' }),
          { type: 'text', text: 'Hi.', providerData: { 'another-provider': { id: 'msg_of-another' } } },
        ],
      },
      user('Rome?'),
      {
        role: 'assistant',
        content: [reasoning('', { redacted: 'of-another' }), ...callsOf(calling({ callId: 'call_1' }))],
      },
      answering('call_1'),
      { role: 'assistant', content: [{ type: 'reasoning', text: 'A thought of another.' }] },
      user('And now?'),
    ])
    expect(body).not.toContain('of-another')
    expect(body).not.toContain('A thought of another')
  })

  scenario('may hold ids that the API does not take', async (tested) => {
    await sent(tested, [
      user('Everywhere?'),
      calling(...STRANGE_IDS.map((callId) => ({ callId }))),
      ...STRANGE_IDS.toReversed().map((callId) => answering(callId)),
      assistant('Sunny.'),
      user('Thanks'),
    ])
  })

  scenario('may hold an id twice', async (tested) => {
    const body = await sent(tested, [
      user('Rome?'),
      calling({ callId: 'call_0' }),
      answering('call_0', 'Sunny at first.'),
      calling({ callId: 'call_0' }),
      answering('call_0', 'Rainy at last.'),
      user('And now?'),
      calling({ callId: 'call_0' }),
      answering('call_0', 'Foggy.'),
    ])
    for (const result of ['Sunny at first.', 'Rainy at last.', 'Foggy.']) expect(body).toContain(result)
  })

  scenario('may hold ids that differ only in what the API does not take', async (tested) => {
    const ids = ['a:1', 'a.1', 'a 1', 'a_1', `b${'x'.repeat(80)}1`, `b${'x'.repeat(80)}2`]
    await sent(tested, [
      user('Everywhere?'),
      calling(...ids.map((callId) => ({ callId }))),
      ...ids.map((callId) => answering(callId)),
      user('Thanks'),
    ])
  })

  scenario('may hold images in results', async (tested) => {
    const content = [{ type: 'text', text: 'The map:' } as const, image]
    const result = { type: 'tool-result', name: WEATHER.name, content } as const
    await sent(tested, [
      { role: 'user', content: [{ type: 'text', text: 'Like this?' }, image] },
      calling({ callId: 'call_1' }, { callId: 'call_2' }),
      { role: 'tool', content: [{ ...result, callId: 'call_1' }] },
      { role: 'tool', content: [{ ...result, callId: 'call_2', content: [image], isError: true }] },
      user('And now?'),
    ])
  })

  scenario('may hold replies that were cut short, or are empty', async (tested) => {
    await sent(tested, [
      user('Hello'),
      assistant('Good eve'),
      user('Go on'),
      assistant(),
      user('Hello?'),
      assistant('', ' \n'),
      user(`Half a character: ${HALF}`),
      assistant(`${HALF} cut`),
      user('And now?', '', ' '),
    ])
  })

  scenario('may lack results', async (tested) => {
    await sent(tested, [
      user('Rome?'),
      calling({ callId: 'call_1' }, { callId: 'call_2' }),
      answering('call_2'),
      user('Never mind'),
      calling({ callId: 'call_3' }),
      assistant('Sunny.'),
      user('And now?'),
      calling({ callId: 'call_4' }),
    ])
  })

  scenario('may hold results late, out of order, or without their call', async (tested) => {
    await sent(tested, [
      answering('call_0', 'Foggy.'),
      user('Rome?'),
      calling({ callId: 'call_1' }, { callId: 'call_2' }),
      answering('call_2'),
      user('Quick!'),
      answering('call_1'),
      answering('call_1'),
      assistant('Sunny.'),
      answering('call_9'),
      user('Thanks'),
    ])
  })

  scenario('may hold inputs and results that are nothing much', async (tested) => {
    await sent(tested, [
      user('Rome?'),
      calling(
        { callId: 'call_1', input: '{"city":' },
        { callId: 'call_2', input: {} },
        { callId: 'call_3', input: '' },
      ),
      {
        role: 'tool',
        content: [{ type: 'tool-result', callId: 'call_1', name: WEATHER.name, content: [], isError: true }],
      },
      { role: 'tool', content: [{ type: 'tool-result', callId: 'call_2', name: WEATHER.name, content: [] }] },
      answering('call_3', ' '),
      user('Thanks'),
    ])
  })

  scenario('may call tools that are no longer there, or have names that the API does not take', async (tested) => {
    const messages = [user('Rome?'), calling({ callId: 'call_1' }), answering('call_1'), user('Thanks')]
    await sent(tested, messages, { tools: [] })
    await sent(tested, messages, { tools: [{ ...WEATHER, name: 'another' }] })
    await sent(tested, [
      user('Rome?'),
      { role: 'assistant', content: [{ type: 'tool-call', callId: 'call_1', name: 'mcp/weather: now!', input: {} }] },
      answering('call_1'),
    ])
  })

  scenario('may begin and end with anybody', async (tested) => {
    await sent(tested, [assistant('Hello'), user('Hello'), user('Are you there?')])
    await sent(tested, [user('Hello'), assistant('Hello'), assistant('Anything else?')], { tools: [] })
    await sent(tested, [calling({ callId: 'call_1' }), answering('call_1')], { instructions: ' ' })
  })

  scenario('may be anything at all', async (tested) => {
    for (let seed = 1; seed <= 200; seed += 1) {
      await sent(tested, anyConversation(seed)).catch((error: unknown) => {
        throw new Error(`In conversation ${seed}: ${error instanceof Error ? error.message : ''}`, { cause: error })
      })
    }
  })
}

function callsOf(message: Message) {
  return message.role === 'assistant' ? toolCallsOf(message) : []
}
