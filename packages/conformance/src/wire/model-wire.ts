import type { StopReason, Usage } from '@orra/core'

/** How the API of a model looks in bytes: all that `describeProvider` has to know of it. */
export interface ModelWire {
  /** The whole reply of a model to `call`: as a stream, where the call asks for one. */
  reply(turn: WireTurn, call: WireCall): WireReply
  /** How the server refuses a call. Its own words are, or hold, `message`. */
  failure(kind: WireFailure, message: string): WireReply
  /** Every way in which servers of this API say that `call` is longer than the model's context window; one at least. */
  tooLong(call: WireCall): readonly WireReply[]
  /**
   * Every way in which a stream that has begun breaks off because the server failed, each as what then comes in the place of
   * the rest. @default the API has none
   */
  breaksOff?(message: string): readonly string[]
  /** How a call asks for an answer by a schema; `undefined` when it does not. */
  answerAsked(call: WireCall): WireAnswer | undefined
  /** What the API would refuse in the body of a call, in words; nothing when it would take it. */
  problemsIn(body: unknown): readonly string[]
  /** What comes with the reasoning of a reply, and has to come back with it. @default nothing has to */
  readonly seal?: string
  /** What this API does not have, each with the reason; scenarios that ask for it are skipped. @default it has all */
  readonly lacks?: { readonly [What in WireLack]?: string }
}

export type WireLack =
  /** A model that tells what it thinks. */
  | 'reasoning'
  /** A reply that says that the model would not. */
  | 'refusal'
  /** A reply that says what of the input came from a cache, or went there. */
  | 'cache-reads'
  | 'cache-writes'
  /** A tool's input as text, which a model can get wrong. */
  | 'text-input'
  /** Calls without an id. */
  | 'missing-ids'
  /** A key. */
  | 'key'

/** What a model says. */
export interface WireTurn {
  /** In the pieces in which it comes. */
  readonly reasoning?: readonly string[]
  /** In the pieces in which it comes; with `stopReason: 'refused'` the words of the refusal. */
  readonly text?: readonly string[]
  readonly toolCalls?: readonly WireToolCall[]
  /** @default `tool-calls` when there are any, else `stop` */
  readonly stopReason?: StopReason
  /** @default the reply has no counts */
  readonly usage?: Usage
  /** The model that answers. */
  readonly model: string
}

export interface WireToolCall {
  /** @default the reply gives it none */
  readonly id?: string
  readonly name: string
  /** JSON, or what should have been; '' where the model gives none. */
  readonly input: string
}

/** A call as it goes over the wire. */
export interface WireCall {
  readonly url: string
  /** By their names in lower case. */
  readonly headers: { readonly [name: string]: string }
  /** What its JSON says. */
  readonly body: unknown
}

/** What goes back. */
export interface WireReply {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** The body: an event or a line each, where the API has such. */
  readonly pieces: readonly string[]
  /** With so many of the pieces the reply is whole, and with fewer cut short. @default all */
  readonly needed?: number
}

export type WireFailure =
  /** The request is malformed. */
  | 'bad-request'
  /** There is no such key. */
  | 'unknown-key'
  /** The key may not do this. */
  | 'forbidden'
  | 'unknown-model'
  | 'rate-limited'
  /** The server has an error of its own. */
  | 'internal'
  | 'overloaded'

/** A reply whose text is JSON of the schema, or a call of this tool with it. */
export type WireAnswer = 'text' | { readonly tool: string }
