import { toolCallsOf } from '@orra/core'
import { expect } from 'vitest'
import { type SaidTurn, saysIn } from './answers.ts'
import { ask, WEATHER } from './asked.ts'
import { chunksOf, raggedChunks } from './chunks.ts'
import { heard } from './heard.ts'
import type { Scenario, Tested } from './scenario.ts'

const TEXT = ['Grüße', ' aus 日本', ' 👩‍🚀', ' 𝒳\n', 'ok']
const INPUT = { city: '東京 👩‍🚀 é' }
const turn: SaidTurn = {
  text: TEXT,
  toolCalls: [{ id: 'call_1', name: WEATHER.name, input: JSON.stringify(INPUT) }],
}

/** A network cuts where it likes. */
export function chunkScenarios(scenario: Scenario): void {
  const check = async ({ serve, wire }: Tested, chunked: (bytes: Uint8Array) => Iterable<Uint8Array>) => {
    const { provider } = serve(saysIn(wire, turn, chunked))
    const { text, message } = await heard(provider, ask('Tokyo?', { tools: [WEATHER] }))
    expect(text).toBe(TEXT.join(''))
    expect(toolCallsOf(message)).toMatchObject([{ input: INPUT }])
  }

  scenario('do not matter when all comes in one', async (tested) => {
    await check(tested, (bytes) => [bytes])
  })

  scenario('do not matter when every byte comes alone', async (tested) => {
    await check(tested, (bytes) => chunksOf(bytes, 1))
  })

  scenario('do not matter wherever they are', async (tested) => {
    for (let seed = 1; seed <= 40; seed += 1) await check(tested, (bytes) => raggedChunks(bytes, seed))
  })

  scenario('do not matter when there are empty chunks', async (tested) => {
    await check(tested, function* (bytes) {
      for (const chunk of chunksOf(bytes, 9)) {
        yield chunk
        yield new Uint8Array()
      }
    })
  })
}
