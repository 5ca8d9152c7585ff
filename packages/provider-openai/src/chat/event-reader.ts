/** An event of a stream. */
export interface ServerEvent {
  /** Empty where it has none. */
  readonly name: string
  /** JSON, read; or the text `[DONE]`. */
  readonly data: unknown
}

/** Reads events out of the bytes of a stream, wherever these are cut. */
export interface EventReader {
  /**
   * The events that are whole by now, in their order. Words in the place of data, such as `ping`, are left out. Throws a `SyntaxError`
   * for JSON that is broken, since a part of the reply is lost with it.
   */
  take(bytes: Uint8Array): Iterable<ServerEvent>
  /** The last event, where the stream ends without ending its line. What was cut off is left out. */
  rest(): Iterable<ServerEvent>
  /** Whether the last that came in the place of data was words. */
  endsInWords(): boolean
}

export const DONE = '[DONE]'

/**
 * An event is there as soon as its data is whole: servers forget the blank line between two of them. Comments, which keep a
 * connection alive, are left out.
 */
export function eventReader(): EventReader {
  const decoder = new TextDecoder()
  let unended = ''
  let name = ''
  let data = ''
  let inWords = false

  function* read(lines: readonly string[]): Generator<ServerEvent> {
    for (const line of lines) {
      const [field, value] = fieldOf(line)
      if (line === '') {
        if (data.trim() !== '') JSON.parse(data)
        name = ''
        data = ''
      } else if (field === 'event') name = value
      else if (field === 'data') {
        data = data === '' ? value : `${data}\n${value}`
        const found = parsed(data)
        if (found === undefined && /^\s*[{[]/.test(data)) continue
        inWords = found === undefined && data.trim() !== ''
        data = ''
        if (found !== undefined) yield { name, data: found }
      }
    }
  }

  return {
    take(bytes) {
      const text = decoder.decode(bytes, { stream: true })
      // One long line in many pieces is looked at once.
      unended += text
      if (!/[\r\n]/.test(text)) return []
      // A carriage return at the very end may be half of a line end.
      const lines = unended.split(/\r\n|\n|\r(?!$)/)
      unended = lines.pop() ?? ''
      return read(lines)
    },
    rest: () => read((unended + decoder.decode()).split(/\r\n|\n|\r/)),
    endsInWords: () => inWords,
  }
}

function fieldOf(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)]
}

/** JSON cut short is none, so what can be read is whole. */
function parsed(text: string): unknown {
  if (text.trim() === DONE) return DONE
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
