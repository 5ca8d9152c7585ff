import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Where a terminal's text goes. Colours only where a person looks. */
export interface Screen {
  /** Text in the middle of a line; what is not ours to trust loses its control characters. */
  write(text: string): void
  /** A line of its own: the one before is ended first. */
  line(text?: string): void
  /** A line of its own that is less important than what people and models say. */
  note(text: string): void
  /** A line of its own that says what went wrong. */
  problem(text: string): void
  /** Ends the line, if one has begun. */
  endLine(): void
  /** Resolves once everything has been written, to `false` when that failed; then nothing more is. */
  flushed(): Promise<boolean>
}

export function openScreen(output: Writable): Screen {
  let midLine = false

  const put = (text: string) => {
    if (text === '' || !output.writable) return
    output.write(text)
    midLine = !text.endsWith('\n')
  }
  const endLine = () => {
    if (midLine) put('\n')
  }
  const styled = (format: 'dim' | 'red', text: string) => styleText(format, printable(text), { stream: output })
  const wholeLine = (text: string) => {
    endLine()
    put(`${text}\n`)
  }

  return {
    write: (text) => put(printable(text)),
    line: (text = '') => wholeLine(printable(text)),
    note: (text) => wholeLine(styled('dim', text)),
    problem: (text) => wholeLine(styled('red', text)),
    endLine,
    flushed: () =>
      new Promise((resolve) => {
        if (output.writable) output.write('', (error) => resolve(!error))
        else resolve(false)
      }),
  }
}

/** Without the control characters with which text can take a terminal over; tabs and line ends stay. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
