import { expect } from 'vitest'
import { hangsBefore, says, saysIn, served, thenBreak, thenHang, wholeTurn } from './answers.ts'
import { ask, WEATHER } from './asked.ts'
import { pseudoRandom } from './chunks.ts'
import { failureOf, heard, SAID_BY_SERVER, thrownBy } from './heard.ts'
import { needs, type Scenario, type Tested } from './scenario.ts'

const turn = {
  text: ['One ', 'two ', 'three.'],
  toolCalls: [{ id: 'call_1', name: WEATHER.name, input: '{"city":"Rome, the eternal city"}' }],
}
/** So much of its last piece a reply may lack and still be whole. */
const FEW_BYTES = 4
const question = ask('Count, and look', { tools: [WEATHER] })

/** Replies that are read as they are made. */
export function streamScenarios(scenario: Scenario): void {
  scenario('gives each piece when it comes', async ({ serve, wire }) => {
    const { provider } = serve(says(wire, { text: turn.text }))
    expect((await heard(provider, ask())).textDeltas).toEqual(turn.text)
  })

  scenario('gives what is there while the rest is not', async ({ serve, wire }) => {
    const { provider, calls } = serve(hangsBefore(wire, turn, 'three.'))
    let read = ''
    for await (const event of provider.stream(question)) {
      if (event.type === 'text-delta') read += event.text
      if (read === 'One two ') break
    }
    await calls[0]?.closed
  })

  scenario('gives reasoning while the rest is not there', async (tested) => {
    needs(tested, 'reasoning')
    const { serve, wire } = tested
    const { provider, calls } = serve(hangsBefore(wire, { reasoning: ['First I ', 'look.'], text: ['Yes.'] }, 'look.'))
    for await (const event of provider.stream(question)) {
      if (event.type === 'reasoning-delta' && event.text === 'First I ') break
    }
    await calls[0]?.closed
  })

  scenario('is connected before anything of it is there', async ({ serve, wire }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { provider } = serve((call) => {
      const { pieces, ...reply } = wire.reply(wholeTurn(turn), call)
      return { ...reply, body: after(promise, pieces) }
    })
    await heard(provider, question, { connected: resolve })
  })

  scenario('that ends before the reply does is a lost connection, wherever', async (tested) => {
    for (const bytes of await cutReplies(tested)) {
      const { provider } = tested.serve((call) => ({ ...tested.wire.reply(wholeTurn(turn), call), body: bytes }))
      const failure = await failureOf(provider, question, ['provider.connection'])
      expect(failure.retryable).toBe(true)
    }
  })

  scenario('that breaks is a lost connection, whatever was thrown', async (tested) => {
    const errors = [
      new TypeError('terminated', { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) }),
      Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      new DOMException('late', 'TimeoutError'),
    ]
    for (const [index, bytes] of (await cutReplies(tested)).entries()) {
      const error = errors[index % errors.length]
      const { provider } = tested.serve((call) => ({
        ...tested.wire.reply(wholeTurn(turn), call),
        body: thenBreak(bytes, error),
      }))
      const failure = await failureOf(provider, question, ['provider.connection'])
      expect(failure.retryable).toBe(true)
    }
  })

  scenario('that the server breaks off is a failure of the server', async ({ serve, wire, skip }) => {
    const endings = wire.breaksOff?.(SAID_BY_SERVER) ?? []
    if (endings.length === 0) skip('it breaks off without a word')
    for (const ending of endings) {
      const { provider } = serve((call) => {
        const { pieces, ...reply } = wire.reply(wholeTurn(turn), call)
        return { ...reply, body: [...pieces.slice(0, 2), ending] }
      })
      const failure = await failureOf(provider, question, ['provider.unavailable'])
      expect(failure.retryable).toBe(true)
    }
  })

  scenario('that stands still ends with the signal, and its connection with it', async ({ serve, wire }) => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const { provider, calls } = serve((call) => {
      const { pieces, ...reply } = wire.reply(wholeTurn(turn), call)
      const at = pieces.findIndex((piece) => piece.includes('three.'))
      return { ...reply, body: thenHang(withLast(pieces.slice(0, at), () => stop.abort(reason))) }
    })
    expect(await thrownBy(provider, question, { signal: stop.signal })).toBe(reason)
    await calls[0]?.closed
  })

  scenario('that is aborted gives no more, though more is there', async ({ serve, wire }) => {
    const long = { text: Array.from({ length: 100 }, (_, index) => `${index} `) }
    for (const answer of [says(wire, long), saysIn(wire, long, (bytes) => [bytes])]) {
      const stop = new AbortController()
      const reason = new Error('enough')
      const { provider, calls } = serve(answer)
      let after = 0
      const read = async () => {
        for await (const event of provider.stream(question, { signal: stop.signal })) {
          if (stop.signal.aborted) after += 1
          if (event.type === 'text-delta') stop.abort(reason)
        }
      }
      await expect(read()).rejects.toBe(reason)
      expect(after).toBe(0)
      await calls[0]?.closed
    }
  })

  scenario('that is left early closes its connection', async ({ serve, wire }) => {
    const { provider, calls } = serve(hangsBefore(wire, turn, 'three.'))
    for await (const { type } of provider.stream(question)) if (type === 'text-delta') break
    await calls[0]?.closed
    expect(calls).toHaveLength(1)
  })

  scenario('that comes whole though nobody waits for it is whole', async ({ serve, wire }) => {
    const { provider } = serve((call) => served(wire.reply(wholeTurn(turn), call)))
    const stream = provider.stream(question)[Symbol.asyncIterator]()
    const types: (string | undefined)[] = []
    for (;;) {
      const { value, done } = await stream.next()
      if (done) break
      types.push(value?.type)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    expect(types.at(-1)).toBe('finish')
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })
}

/** The beginnings of a reply: all that end with one of its pieces, and some that do not. */
async function cutReplies({ serve, wire }: Tested): Promise<readonly (readonly Uint8Array[])[]> {
  const { provider, calls } = serve(says(wire, turn))
  await heard(provider, question)
  const [call] = calls
  if (!call) throw new Error('The provider made no call.')
  const { pieces, needed = pieces.length } = wire.reply(wholeTurn(turn), call)
  const lengths = pieces.map((_, index) => Buffer.byteLength(pieces.slice(0, index + 1).join('')))
  const [, shortest = 0] = lengths
  const longest = (lengths[needed - 1] ?? 0) - FEW_BYTES
  const next = pseudoRandom(1)
  const anywhere = Array.from({ length: 40 }, () => shortest + (next() % (longest - shortest)))
  const whole = Buffer.from(pieces.join(''))
  return [...lengths.slice(1, needed - 1), ...anywhere].map((length) => [whole.subarray(0, length)])
}

async function* after(waited: Promise<void>, pieces: readonly string[]): AsyncGenerator<string> {
  await waited
  yield* pieces
}

function* withLast(pieces: readonly string[], last: () => void): Generator<string> {
  yield* pieces
  last()
}
