import type { StopReason } from '@orra/core'
import type { WireReply, WireTurn } from './model-wire.ts'

export type Fields = { readonly [name: string]: unknown }

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list; none where there is no list. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Text that is not blank. */
export function isFilled(value: unknown): value is string {
  return typeof value === 'string' && /[^\s\p{Cc}]/u.test(value)
}

/** Whether text is the JSON of an object. */
export function isJsonObject(text: unknown): boolean {
  if (typeof text !== 'string') return false
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}

export function wantsStream(body: unknown): boolean {
  return isObject(body) && body['stream'] === true
}

export function stopReasonOf({ stopReason, toolCalls = [] }: WireTurn): StopReason {
  return stopReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop')
}

/** A text in the pieces in which a model would write it. */
export function inPieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,7}/g) ?? []
}

export function jsonReply(status: number, body: unknown): WireReply {
  return { status, headers: { 'content-type': 'application/json' }, pieces: [JSON.stringify(body)] }
}

/** A stream of server-sent events. */
export function eventReply(pieces: readonly string[], needed: number = pieces.length): WireReply {
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, pieces, needed }
}

/** What an event of a stream says. */
export interface NamedEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** A server-sent event whose name is its type. */
export function namedEvent(data: NamedEvent): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
}
