import { getEventListeners } from 'node:events'
import { expect } from 'vitest'
import { says, thenHang } from './answers.ts'
import { ask } from './asked.ts'
import { heard, thrownBy } from './heard.ts'
import type { Scenario } from './scenario.ts'

const reason = new Error('enough')

/** Whoever asked wants it no more. */
export function abortScenarios(scenario: Scenario): void {
  scenario('before the call makes none', async ({ serve, wire }) => {
    const { provider, calls } = serve(says(wire, { text: ['Yes.'] }))
    expect(await thrownBy(provider, ask(), { signal: AbortSignal.abort(reason) })).toBe(reason)
    expect(calls).toHaveLength(0)
  })

  scenario('while the server is silent ends the call', async ({ serve }) => {
    const stop = new AbortController()
    const { provider, calls } = serve(() => {
      stop.abort(reason)
      return new Promise(() => {})
    })
    expect(await thrownBy(provider, ask(), { signal: stop.signal })).toBe(reason)
    await calls[0]?.closed
  })

  scenario('after the headers ends the call', async ({ serve, wire }) => {
    const stop = new AbortController()
    const { provider, calls } = serve((call) => {
      const { pieces, ...reply } = wire.reply({ model: 'model-1', text: ['Yes.'] }, call)
      return { ...reply, body: silence(pieces.slice(0, 0), () => stop.abort(reason)) }
    })
    expect(await thrownBy(provider, ask(), { signal: stop.signal })).toBe(reason)
    await calls[0]?.closed
  })

  scenario('may have any reason, which is thrown as it is', async ({ serve }) => {
    for (const any of [
      'no more',
      { enough: true },
      new DOMException('late', 'TimeoutError'),
      new TypeError('terminated'),
    ]) {
      const stop = new AbortController()
      const { provider } = serve(() => {
        stop.abort(any)
        return new Promise(() => {})
      })
      expect(await thrownBy(provider, ask(), { signal: stop.signal })).toBe(any)
    }
  })

  scenario('after the reply changes nothing, and has nothing left to tell', async ({ serve, wire }) => {
    const stop = new AbortController()
    const { provider } = serve(says(wire, { text: ['Yes.'] }))
    for (let call = 0; call < 3; call += 1) {
      expect((await heard(provider, ask(), { signal: stop.signal })).text).toBe('Yes.')
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
    stop.abort(reason)
    expect((await heard(provider, ask(), { signal: new AbortController().signal })).text).toBe('Yes.')
  })
}

async function* silence(chunks: readonly string[], asked: () => void): AsyncGenerator<string> {
  asked()
  yield* thenHang(chunks)
}
