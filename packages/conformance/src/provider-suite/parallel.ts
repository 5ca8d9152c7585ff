import { expect } from 'vitest'
import { refused, says, wholeTurn } from './answers.ts'
import { ask } from './asked.ts'
import { failureOf, heard, thrownBy } from './heard.ts'
import type { Scenario } from './scenario.ts'

/** One provider serves many. */
export function parallelScenarios(scenario: Scenario): void {
  scenario('do not mix, though their pieces come in turns', async ({ serve, wire }) => {
    const names = Array.from({ length: 8 }, (_, index) => `guest-${index}`)
    const { provider } = serve((call) => {
      const name = names.find((one) => JSON.stringify(call.body).includes(one)) ?? 'nobody'
      const { pieces, ...reply } = wire.reply(wholeTurn({ text: [...'Good evening, ', name], model: name }), call)
      return { ...reply, body: inTurns(pieces) }
    })
    const replies = await Promise.all(names.map((name) => heard(provider, ask(`I am ${name}`))))
    expect(replies.map(({ text }) => text)).toEqual(names.map((name) => `Good evening, ${name}`))
    expect(replies.map(({ model }) => model)).toEqual(names)
  })

  scenario('fail and end each for itself', async ({ serve, wire }) => {
    const stop = new AbortController()
    const { provider } = serve((call) => {
      const sent = JSON.stringify(call.body)
      if (sent.includes('fail')) throw refused('ECONNRESET', 'read ECONNRESET')
      if (sent.includes('stop')) return new Promise(() => stop.abort('enough'))
      return says(wire, { text: ['Yes.'] })(call)
    })
    const [failed, stopped, answered] = await Promise.all([
      failureOf(provider, ask('fail'), ['provider.connection']),
      thrownBy(provider, ask('stop'), { signal: stop.signal }),
      heard(provider, ask('answer')),
    ])
    expect([failed.code, stopped, answered.text]).toEqual(['provider.connection', 'enough', 'Yes.'])
  })
}

async function* inTurns(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    yield piece
  }
}
