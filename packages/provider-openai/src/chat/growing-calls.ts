import type { JsonObject, ToolCallPart } from '@orra/core'
import { type Fields, fieldsOf, isJsonObject, listOf, stringOf } from '../loose-json.ts'
import { newCallId } from '../new-call-id.ts'
import { isWhole, toToolInput } from '../tool-input.ts'

/** The calls of a reply while they are made. */
export interface GrowingCalls {
  /** Takes the `tool_calls` of a chunk or of a whole message. */
  take(pieces: unknown): void
  /** The calls, in the order in which they began. Their data is kept under the provider's name. */
  parts(provider: string): readonly ToolCallPart[]
  /** What was written of them, in characters. */
  characters(): number
}

interface GrowingCall {
  readonly index: number | undefined
  id: string
  name: string
  written: string
  /** What some servers want back, such as the signature of a thought. */
  extra?: JsonObject
}

export function growingCalls(): GrowingCalls {
  const calls: GrowingCall[] = []

  /** The call that a piece goes on with; none when it begins one. */
  function continued({ index, id, name }: GrowingCall) {
    const atIndex = index === undefined ? undefined : calls.findLast((call) => call.index === index)
    const ofId = id === '' ? undefined : calls.findLast((call) => call.id === id)
    // Without a name it is more of something, whatever its index or id says.
    if (name === '') return atIndex ?? ofId ?? calls.at(-1)
    const call = index === undefined ? (ofId ?? calls.at(-1)) : atIndex
    if (!call || call.name === '') return call
    if (call.name !== name) return undefined
    const isOther = id !== '' && call.id !== '' && id !== call.id
    if (isWhole(call.written)) return undefined
    return isOther && (index === undefined || call.written.trim() === '') ? undefined : call
  }

  /** A name that is told once more at the end of its call begins no other. */
  function isMeant({ index, id, name, written }: GrowingCall, at: number): boolean {
    const isThere = (call: GrowingCall) => call.index === index && (id === '' || call.id === id)
    return written.trim() !== '' || calls.slice(0, at).findLast(isThere)?.name !== name
  }

  return {
    take(pieces) {
      for (const given of listOf(pieces)) {
        const piece = toPiece(fieldsOf(given))
        const call = continued(piece)
        if (call) add(call, piece)
        else calls.push(piece)
      }
    },
    parts: (provider) => calls.filter(isMeant).map((call) => toPart(call, provider)),
    characters: () => calls.reduce((sum, { name, written }) => sum + name.length + written.length, 0),
  }
}

function toPiece({ index, id, function: called, extra_content: extra }: Fields): GrowingCall {
  const { name, arguments: written } = fieldsOf(called)
  return {
    index: typeof index === 'number' ? index : undefined,
    id: stringOf(id),
    name: stringOf(name).trim(),
    written: typeof written === 'object' && written !== null ? JSON.stringify(written) : stringOf(written),
    ...(isJsonObject(extra) ? { extra } : {}),
  }
}

function add(call: GrowingCall, { id, name, written, extra }: GrowingCall): void {
  // Some servers begin each call with no arguments, and then write them.
  const isBegunEmpty = name === '' && written.trim() !== '' && call.written.trim() === '{}'
  call.id ||= id
  call.name ||= name
  call.written = isBegunEmpty ? written : call.written + written
  if (extra) call.extra = extra
}

function toPart({ name, written, extra }: GrowingCall, provider: string): ToolCallPart {
  const data = extra ? { providerData: { [provider]: { extra_content: extra } } } : {}
  return { type: 'tool-call', callId: newCallId(), name, input: toToolInput(written), ...data }
}
