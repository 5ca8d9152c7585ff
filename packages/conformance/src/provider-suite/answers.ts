import type { ModelWire, WireReply, WireTurn } from '../wire/model-wire.ts'
import type { Answer, ServedReply } from './served-fetch.ts'

/** A turn of which the scenario does not care about all. */
export type SaidTurn = Partial<WireTurn>

const USAGE = { inputTokens: 130, outputTokens: 40, cacheReadTokens: 0, cacheWriteTokens: 0 }

export function wholeTurn(turn: SaidTurn): WireTurn {
  return { model: 'model-1', usage: USAGE, ...turn }
}

/** Answers every call with this turn, each piece a chunk. */
export function says(wire: ModelWire, turn: SaidTurn): Answer {
  return (call) => served(wire.reply(wholeTurn(turn), call))
}

export function served({ status, headers, pieces }: WireReply): ServedReply {
  return { status, headers, body: pieces }
}

/** The same reply in other chunks. */
export function saysIn(wire: ModelWire, turn: SaidTurn, chunked: (bytes: Uint8Array) => Iterable<Uint8Array>): Answer {
  return (call) => {
    const { pieces, ...reply } = wire.reply(wholeTurn(turn), call)
    return { ...reply, body: chunked(Buffer.from(pieces.join(''))) }
  }
}

/** The reply up to and without the piece in which `text` comes, which has to be a piece of its own; then it hangs. */
export function hangsBefore(wire: ModelWire, turn: SaidTurn, text: string): Answer {
  return (call) => {
    const { pieces, ...reply } = wire.reply(wholeTurn(turn), call)
    const at = pieces.findIndex((piece) => piece.includes(text))
    return { ...reply, body: thenHang(pieces.slice(0, at)) }
  }
}

export async function* thenHang(chunks: Iterable<string>): AsyncGenerator<string> {
  yield* chunks
  await new Promise<never>(() => {})
}

export async function* thenBreak(
  chunks: Iterable<string | Uint8Array>,
  error: unknown,
): AsyncGenerator<string | Uint8Array> {
  yield* chunks
  throw error
}

export function refused(code: string, message: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })
}
